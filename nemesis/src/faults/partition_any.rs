//! `partition`: one of the shapes, drawn anew each time. Those that came later are not among them: a
//! seed means the same as before.

use tribunal_generator::Rng;
use tribunal_history::Name;

use super::given::Given;
use super::partition::{Drawn, NONE, Partition, about};
use super::{
    PlanError, partition_bridge, partition_halves, partition_one, partition_one_way,
    partition_ring, ports,
};

static SHAPES: [&Partition; 5] = [
    &partition_halves::FAULT,
    &partition_one::FAULT,
    &partition_ring::FAULT,
    &partition_bridge::FAULT,
    &partition_one_way::FAULT,
];

pub(super) static FAULT: Partition = Partition {
    about: about(
        "partition",
        "One of the halves, one, ring, bridge and one-way below, drawn anew each time.",
        &[ports::OPTION],
    ),
    needs: 2,
    example: NONE,
    draw,
};

fn draw(nodes: &[Name], given: &Given, rng: &mut Rng) -> Result<Drawn, PlanError> {
    let possible: Vec<_> = SHAPES.iter().filter(|shape| shape.needs <= nodes.len()).collect();
    let shape = rng.pick(&possible);
    Ok(Drawn { shape: Some(shape.about.name), ..(shape.draw)(nodes, given, rng)? })
}
