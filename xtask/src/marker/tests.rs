//! Forms that Poetry chooses; the integration tests compare with the real one.

use super::*;

fn show(work: impl FnOnce(&Algebra) -> Outcome<Marker>) -> String {
    let algebra = Algebra::default();
    work(&algebra).unwrap().to_string()
}
