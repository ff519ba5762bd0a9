//! The real agent against real victims: processes of this machine, and nodes in
//! network namespaces made and removed by the tests.

mod clock;
mod cut;
mod injector;
mod pause;
mod process;
mod wire;
