//! Lock files, read as what they say. Pure.
//!
//! One file for each kind, and one line here. A reader turns text into plain values and names
//! file, line and remedy when the text is damaged; it decides nothing about what to install.

mod damage;
pub mod poetry;
