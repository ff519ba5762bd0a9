//! The main job from outside: the real command puts real databases on trial, on
//! local nodes, over SSH.
//!
//! Every test has a state folder and a store of its own. What is needed and is
//! not there (root, etcd) is said in a line that begins with `skipped:`. The
//! bundled databases stand beside the command, where a build of the workspace
//! puts them.

mod clients;
mod convictions;
mod etcd;
mod interrupts;
mod kill;
#[path = "../cluster/scene.rs"]
mod scene;
mod seeds;
mod setup;
mod strangers;
mod test_file;
#[path = "../cluster/traces.rs"]
mod traces;
mod trial;
mod usage;
