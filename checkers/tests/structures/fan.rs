//! Everyone before, everyone after: against what a graph of all pairs would say.

use super::inner::fan::Fan;
use super::inner::graph::{Builder, Graph, Kind, Node};
use super::inner::transaction::TxnId;

/// Whom one reaches.
fn reached(graph: &Graph, from: Node) -> Vec<Node> {
    let (mut path, mut reached) = (vec![from], Vec::new());
    while let Some(node) = path.pop() {
        for next in graph.targets(node).iter().map(|target| target.node()) {
            if !reached.contains(&next) {
                reached.push(next);
                path.push(next);
            }
        }
    }
    reached
}

/// Whoever is before reaches everyone after that is present, but not itself, and nobody else does.
#[test]
fn everyone_before_comes_before_everyone_else_after() {
    const TXNS: TxnId = 8;
    for (befores, afters) in (0..1_u32 << TXNS).flat_map(|it| [(it, 0b1111_0110), (0b1101, it)]) {
        let those = |set: u32| (0..TXNS).filter(move |txn| set >> txn & 1 == 1);
        let before = those(befores).map(|txn| (txn, Kind::ReadWrite)).collect();
        let fan = Fan { before, after: those(afters).collect() };
        let present: Vec<bool> = (0..TXNS).map(|txn| txn != 5).collect();
        let (mut edges, mut nodes) = (Builder::default(), TXNS);
        let after = fan.edges(&present, &mut nodes, &mut edges);
        assert_eq!(after, those(afters).filter(|&txn| txn != 5).collect::<Vec<_>>());
        let graph = Graph::new(nodes as usize, &[edges]);
        for txn in 0..TXNS {
            let mut reached = reached(&graph, txn);
            reached.retain(|&node| node < TXNS);
            reached.sort_unstable();
            let others = after.iter().copied().filter(|&other| other != txn);
            let due: Vec<Node> =
                if befores >> txn & 1 == 1 { others.collect() } else { Vec::new() };
            // Whoever is after, and before others, leads on to them.
            let leads = due.iter().any(|&other| befores >> other & 1 == 1);
            assert!(leads || reached == due, "{txn}: {befores:b} {afters:b} {reached:?}");
            assert!(
                due.iter().all(|other| reached.contains(other)),
                "{txn}: {befores:b} {afters:b}"
            );
        }
    }
}
