//! stub
use super::super::model::Object;
use super::*;
pub(super) fn jam(_o: &Object<Call>, _j: &semaphore::Jam, _p: u32) -> String { todo!() }
pub(super) fn breach(_o: &Object<Call>, _j: &owner::Breach) -> String { todo!() }
pub(super) fn fenced(_o: &Object<Call>, _j: &fenced::Breach) -> String { todo!() }
pub(super) fn stale(_o: &Object<store::Call>, _j: &store::Breach) -> String { todo!() }
