//! What a started program finds in one environment variable. It never shows a secret.

use std::fmt;

/// What becomes of an environment variable.
pub enum Variable {
    /// It is set.
    Set(String),
    /// As `Set`, but never shown.
    Secret(String),
    /// It is not passed on.
    Removed,
}

impl fmt::Debug for Variable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Variable::Set(value) => write!(formatter, "Set({value:?})"),
            Variable::Secret(_) => formatter.write_str("Secret(…)"),
            Variable::Removed => formatter.write_str("Removed"),
        }
    }
}
