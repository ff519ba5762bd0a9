//! `partition`: one of the shapes, drawn anew each time.

use tribunal_generator::Rng;
use tribunal_history::Name;

use super::partition::{Drawn, Partition};
use super::{partition_bridge, partition_halves, partition_one, partition_one_way, partition_ring};

static SHAPES: [&Partition; 5] = [
    &partition_halves::FAULT,
    &partition_one::FAULT,
    &partition_ring::FAULT,
    &partition_bridge::FAULT,
    &partition_one_way::FAULT,
];

pub(super) static FAULT: Partition = Partition {
    name: "partition",
    doc: "One of the partitions below, drawn anew each time.",
    needs: 2,
    draw,
};

fn draw(nodes: &[Name], rng: &mut Rng) -> Drawn {
    let possible: Vec<_> = SHAPES.iter().filter(|shape| shape.needs <= nodes.len()).collect();
    let shape = rng.pick(&possible);
    Drawn { shape: Some(shape.name), ..(shape.draw)(nodes, rng) }
}
