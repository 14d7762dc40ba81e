//! Any set of versions that constraints can describe: nothing, one piece, or several.

use super::{Piece, Range, Version};

/// A set of versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Constraint {
    /// No version at all.
    Empty,
    /// A point or a range.
    One(Piece),
    /// Several pieces, in order, that do not touch.
    Union(Vec<Piece>),
}

impl From<Version> for Constraint {
    fn from(version: Version) -> Constraint {
        Constraint::One(Piece::Point(version))
    }
}

impl From<Range> for Constraint {
    fn from(range: Range) -> Constraint {
        Constraint::One(Piece::Range(range))
    }
}

impl From<Piece> for Constraint {
    fn from(piece: Piece) -> Constraint {
        Constraint::One(piece)
    }
}

impl Constraint {
    /// Every version.
    pub fn any() -> Constraint {
        Range::default().into()
    }

    /// The union of any constraints: pieces in order, those that touch made one.
    pub fn of(constraints: impl IntoIterator<Item = Constraint>) -> Constraint {
        let mut pieces = Vec::new();
        for constraint in constraints {
            if !constraint.is_empty() {
                pieces.extend(constraint.into_pieces());
            }
        }
        if pieces.iter().any(Piece::is_any) {
            return Constraint::any();
        }
        pieces.sort_by(Piece::order);
        let mut merged: Vec<Piece> = Vec::new();
        for piece in pieces {
            match merged.last_mut() {
                Some(last) if last.allows_any(&piece) || last.is_adjacent_to(&piece) => {
                    if let Constraint::One(both) = last.union(&piece) {
                        *last = both;
                    }
                }
                _ => merged.push(piece),
            }
        }
        match merged.len() {
            0 => Constraint::Empty,
            1 => Constraint::One(merged.remove(0)),
            _ => Constraint::Union(merged),
        }
    }

    /// The pieces, in order.
    pub fn pieces(&self) -> &[Piece] {
        match self {
            Constraint::Empty => &[],
            Constraint::One(piece) => std::slice::from_ref(piece),
            Constraint::Union(pieces) => pieces,
        }
    }

    fn into_pieces(self) -> Vec<Piece> {
        match self {
            Constraint::Empty => Vec::new(),
            Constraint::One(piece) => vec![piece],
            Constraint::Union(pieces) => pieces,
        }
    }

    /// Whether it lets no version in.
    pub fn is_empty(&self) -> bool {
        match self {
            Constraint::Empty => true,
            Constraint::One(piece) => piece.is_empty(),
            Constraint::Union(_) => false,
        }
    }

    /// Whether it lets every version in.
    pub fn is_any(&self) -> bool {
        matches!(self, Constraint::One(piece) if piece.is_any())
    }

    /// Whether one comparison says it: `>=1`, `==1`, `!=1`.
    pub fn is_simple(&self) -> bool {
        match self {
            Constraint::Empty | Constraint::One(Piece::Point(_)) => true,
            Constraint::One(Piece::Range(range)) => range.min.is_none() || range.max.is_none(),
            Constraint::Union(_) => self.excluded_version().is_some(),
        }
    }

    /// The one version that a union leaves out, if that is all it does.
    pub fn excluded_version(&self) -> Option<Version> {
        let Constraint::Union(pieces) = self else {
            return None;
        };
        match without(&Piece::Range(Range::default()), pieces) {
            Constraint::One(Piece::Point(version)) => Some(version),
            _ => None,
        }
    }

    /// Whether the version is let in.
    pub fn allows(&self, version: &Version) -> bool {
        match self.excluded_version() {
            Some(excluded) => !excluded.allows(version),
            None => self.pieces().iter().any(|piece| piece.allows(version)),
        }
    }

    /// Whether the other constraint's versions are all let in.
    pub fn allows_all(&self, other: &Constraint) -> bool {
        if other.is_empty() {
            return true;
        }
        match (self, other) {
            (Constraint::Empty, _) => false,
            (Constraint::One(Piece::Point(_)), Constraint::Union(_)) => false,
            (Constraint::One(one), other) => {
                other.pieces().iter().all(|piece| one.allows_all(piece))
            }
            (Constraint::Union(ours), other) => {
                let mut theirs = other.pieces().iter().peekable();
                let mut ours = ours.iter().peekable();
                while let (Some(our), Some(their)) = (ours.peek(), theirs.peek()) {
                    if our.allows_all(their) {
                        theirs.next();
                    } else {
                        ours.next();
                    }
                }
                theirs.peek().is_none()
            }
        }
    }

    /// Whether the two share a version.
    pub fn allows_any(&self, other: &Constraint) -> bool {
        match (self, other) {
            (Constraint::One(one), other) => {
                other.pieces().iter().any(|piece| one.allows_any(piece))
            }
            (ours, theirs) => overlaps(ours.pieces(), theirs.pieces(), |our, their| {
                our.allows_any(their)
            }),
        }
    }

    /// The versions in both.
    #[must_use]
    pub fn intersect(&self, other: &Constraint) -> Constraint {
        match (self, other) {
            (Constraint::Empty, _) | (_, Constraint::Empty) => Constraint::Empty,
            (Constraint::One(one), Constraint::One(two)) => one.intersect(two),
            (union @ Constraint::Union(_), other) | (other, union) => {
                let mut found = Vec::new();
                overlaps(union.pieces(), other.pieces(), |our, their| {
                    let both = our.intersect(their);
                    if !both.is_empty() {
                        found.push(both);
                    }
                    false
                });
                Constraint::of(found)
            }
        }
    }

    /// The versions in either.
    #[must_use]
    pub fn union(&self, other: &Constraint) -> Constraint {
        match (self, other) {
            (Constraint::Empty, other) => other.clone(),
            (Constraint::One(one), Constraint::One(two)) => one.union(two),
            // Of equal versions, the one listed last keeps its spelling.
            (one @ Constraint::One(Piece::Point(_)), other) => {
                Constraint::of([other.clone(), one.clone()])
            }
            (one, other) => Constraint::of([one.clone(), other.clone()]),
        }
    }

    /// The versions that a range or point has and `other` has not. Unions are never asked.
    #[must_use]
    pub fn difference(&self, other: &Constraint) -> Constraint {
        match self {
            Constraint::One(piece) => without(piece, other.pieces()),
            other => other.clone(),
        }
    }
}

/// Walks two ordered lists of pieces; stops when `visit` says so.
fn overlaps(
    ours: &[Piece],
    theirs: &[Piece],
    mut visit: impl FnMut(&Piece, &Piece) -> bool,
) -> bool {
    let (mut our_index, mut their_index) = (0, 0);
    while let (Some(our), Some(their)) = (ours.get(our_index), theirs.get(their_index)) {
        if visit(our, their) {
            return true;
        }
        if their.allows_higher(our) {
            our_index += 1;
        } else {
            their_index += 1;
        }
    }
    false
}

fn without(piece: &Piece, others: &[Piece]) -> Constraint {
    let mut parts = Vec::new();
    let mut current = piece.clone();
    for other in others {
        if other.strictly_lower(&current) {
            continue;
        }
        if current.strictly_lower(other) {
            break;
        }
        match current.difference(other) {
            Constraint::Empty => return Constraint::of(parts),
            Constraint::One(rest) if rest.is_empty() => return Constraint::of(parts),
            Constraint::One(rest) => current = rest,
            Constraint::Union(mut pieces) => {
                let last = pieces.pop().expect("a union has at least two pieces");
                parts.extend(pieces.into_iter().map(Constraint::One));
                current = last;
            }
        }
    }
    parts.push(Constraint::One(current));
    Constraint::of(parts)
}

/// Cuts the version line at every bound of these constraints, lowest region first.
pub fn regions<'constraint>(
    constraints: impl IntoIterator<Item = &'constraint Constraint>,
) -> Vec<Range> {
    let pieces: Vec<&Piece> = constraints
        .into_iter()
        .flat_map(Constraint::pieces)
        .collect();
    let lower = |piece: &&Piece| Some((piece.min()?.clone(), !piece.include_min()));
    let upper = |piece: &&Piece| Some((piece.max()?.clone(), piece.include_max()));
    // The bound named first gives the spelling when two are equal (`3.8` and `3.8.0`).
    let mut edges: Vec<(Version, bool)> = pieces.iter().filter_map(lower).collect();
    edges.extend(pieces.iter().filter_map(upper));
    edges.sort();
    edges.dedup();
    let mut regions = Vec::new();
    let mut low: Option<(Version, bool)> = None;
    for edge in edges.iter().cloned().map(Some).chain([None]) {
        regions.push(Range {
            include_min: low.as_ref().is_some_and(|(_, above)| !above),
            include_max: edge.as_ref().is_some_and(|(_, above)| *above),
            min: low.map(|(version, _)| version),
            max: edge.as_ref().map(|(version, _)| version.clone()),
        });
        low = edge;
    }
    regions
}
