//! Where something stands in a file.

/// A line and a column, both counted from 1; columns are characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// A value and where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it begins.
    pub place: Place,
}

/// A text of the file.
pub type Text = Spanned<String>;

impl<T> Spanned<T> {
    /// A value at a place.
    pub fn new(value: T, place: Place) -> Spanned<T> {
        Spanned { value, place }
    }
}
