//! The three documents of one bill made by hand, held against the official schemas.

mod contents;
mod found;
mod image;
mod sample;
mod schemas;

use serde_json::Value;

use super::{Development, cyclonedx, spdx, vex};
use sample::Sample;

fn all(sample: &Sample) -> [Value; 3] {
    let locks = sample.locks();
    let bill = sample.bill(&locks);
    [
        cyclonedx::document(&bill),
        vex::document(&sample.report(), &bill),
        spdx::document(&bill),
    ]
}

#[test]
fn documents_are_values_of_their_input_alone() {
    let first = all(&Sample::new());
    assert_eq!(first, all(&Sample::new()));
    let mut turned = Sample::new();
    turned.artifacts.reverse();
    turned.reverse_locks = true;
    let turned = all(&turned);
    for (one, other) in first.iter().zip(&turned) {
        assert_eq!(one.to_string(), other.to_string());
    }
    let mut other = Sample::new();
    other.product.version = "9.9.9".to_owned();
    let identity = |document: &Value| {
        let keys = ["serialNumber", "documentNamespace"];
        keys.iter()
            .find_map(|key| document.get(key))
            .cloned()
            .unwrap()
    };
    for (one, other) in first.iter().zip(&all(&other)) {
        assert_ne!(identity(one), identity(other));
    }
}

#[test]
fn nothing_secret_and_nothing_of_this_machine_is_in_them() {
    for document in all(&Sample::new()) {
        let text = document.to_string();
        for hidden in ["secret", "/home/", "token="] {
            assert!(!text.contains(hidden), "{hidden} in {text}");
        }
    }
}

#[test]
fn what_does_not_ship_can_be_left_out() {
    let mut sample = Sample::new();
    sample.development = Development::LeftOut;
    let [bill, _, spdx] = all(&sample);
    let text = bill.to_string() + &spdx.to_string();
    assert!(
        !text.contains("pytest") && !text.contains("serde"),
        "{text}"
    );
    assert!(
        !text.contains("excluded") && text.contains("left-pad"),
        "{text}"
    );
    let incomplete = &bill["compositions"][1];
    assert_eq!(incomplete["aggregate"], "incomplete");
    assert!(
        incomplete["dependencies"]
            .to_string()
            .contains("product:demo@1.0.0")
    );
}

#[test]
fn a_bill_of_nothing_is_valid() {
    let mut sample = Sample::new();
    sample.artifacts.clear();
    let bill = sample.bill(&[]);
    schemas::cyclonedx(&cyclonedx::document(&bill)).unwrap();
    schemas::cyclonedx(&vex::document(&sample.report(), &bill)).unwrap();
    schemas::spdx(&spdx::document(&bill)).unwrap();
}
