//! One unbroken piece of the version line, a point or a range, and what two pieces make.

use std::cmp::Ordering;

use super::{Constraint, Version};

/// A range of versions; a missing bound is open.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Range {
    /// The lower bound.
    pub min: Option<Version>,
    /// The upper bound.
    pub max: Option<Version>,
    /// Whether the lower bound is in.
    pub include_min: bool,
    /// Whether the upper bound is in.
    pub include_max: bool,
}

/// A point or a range.
#[derive(Debug, Clone)]
pub enum Piece {
    /// Exactly this version, and its local variants when it is a public one.
    Point(Version),
    /// All versions between two bounds.
    Range(Range),
}

impl Range {
    /// A range of these bounds.
    pub fn new(
        min: Option<Version>,
        max: Option<Version>,
        include_min: bool,
        include_max: bool,
    ) -> Range {
        Range {
            min,
            max,
            include_min,
            include_max,
        }
    }

    /// Whether no version lies in it.
    pub fn is_empty(&self) -> bool {
        match (&self.min, &self.max) {
            (Some(min), Some(max)) => match min.cmp(max) {
                Ordering::Less => false,
                Ordering::Equal => !(self.include_min && self.include_max),
                Ordering::Greater => true,
            },
            _ => false,
        }
    }

    /// The range as a constraint; an empty one becomes [`Constraint::Empty`].
    pub fn or_empty(self) -> Constraint {
        if self.is_empty() {
            Constraint::Empty
        } else {
            self.into()
        }
    }

    /// Whether the version lies in it, by PEP 440's rules for exclusive bounds: `>V` keeps
    /// the post-releases and the local variants of V out.
    pub fn allows(&self, version: &Version) -> bool {
        if let Some(min) = &self.min {
            let mut other = version.clone();
            if !self.include_min && min.post.is_none() {
                other = other.without_post();
            }
            if min.local.is_none() {
                other = other.without_local();
            }
            if other < *min || (!self.include_min && other == *min) {
                return false;
            }
        }
        if let Some(max) = &self.max {
            let mut other = version.clone();
            if max.local.is_none() {
                other = other.without_local();
            }
            if other > *max || (!self.include_max && other == *max) {
                return false;
            }
        }
        true
    }

    /// `union` with a single version.
    fn union_point(&self, point: &Version) -> Constraint {
        let covers = |bound: &Option<Version>| {
            point.local.is_none()
                && bound
                    .as_ref()
                    .is_some_and(|bound| bound.local.is_some() && point.allows(bound))
        };
        let (covers_min, covers_max) = (covers(&self.min), covers(&self.max));
        if covers_min || covers_max {
            let mut range = self.clone();
            if covers_min {
                range.min = Some(point.clone());
                range.include_min = true;
            }
            if covers_max {
                range.max = Some(point.stable().next_at(2));
                range.include_max = false;
            }
            return range.or_empty();
        }
        let mut range = self.clone();
        if self.allows(point) {
        } else if self.min.as_ref() == Some(point) {
            range.include_min = true;
        } else if self.max.as_ref() == Some(point) {
            range.include_max = true;
        } else {
            return Constraint::of([self.clone().into(), point.clone().into()]);
        }
        range.into()
    }

    /// `intersect` with a single version.
    fn intersect_point(&self, point: &Version) -> Constraint {
        if self.allows(point) {
            return point.clone().into();
        }
        let local_min = self
            .min
            .as_ref()
            .is_some_and(|min| min.local.is_some() && point.local.is_none() && point.allows(min));
        if local_min {
            let upper = point.stable().next_at(2);
            return Range::new(self.min.clone(), Some(upper), self.include_min, false).or_empty();
        }
        Constraint::Empty
    }

    fn without_point(&self, point: &Version) -> Constraint {
        if !self.allows(point) {
            return self.clone().into();
        }
        if self.min.as_ref() == Some(point) {
            let mut range = self.clone();
            range.include_min = false;
            return range.or_empty();
        }
        if self.max.as_ref() == Some(point) {
            let mut range = self.clone();
            range.include_max = false;
            return range.or_empty();
        }
        let (mut below, mut above) = (self.clone(), self.clone());
        (below.max, below.include_max) = (Some(point.clone()), false);
        (above.min, above.include_min) = (Some(point.clone()), false);
        Constraint::of([below.or_empty(), above.or_empty()])
    }
}

impl Piece {
    /// The lower bound.
    pub fn min(&self) -> Option<&Version> {
        match self {
            Piece::Point(version) => Some(version),
            Piece::Range(range) => range.min.as_ref(),
        }
    }

    /// The upper bound.
    pub fn max(&self) -> Option<&Version> {
        match self {
            Piece::Point(version) => Some(version),
            Piece::Range(range) => range.max.as_ref(),
        }
    }

    /// Whether the lower bound is in.
    pub fn include_min(&self) -> bool {
        match self {
            Piece::Point(_) => true,
            Piece::Range(range) => range.include_min,
        }
    }

    /// Whether the upper bound is in.
    pub fn include_max(&self) -> bool {
        match self {
            Piece::Point(_) => true,
            Piece::Range(range) => range.include_max,
        }
    }

    /// Whether every version lies in it.
    pub fn is_any(&self) -> bool {
        matches!(self, Piece::Range(range) if range.min.is_none() && range.max.is_none())
    }

    /// Whether no version lies in it.
    pub fn is_empty(&self) -> bool {
        matches!(self, Piece::Range(range) if range.is_empty())
    }

    /// Whether the version lies in it.
    pub fn allows(&self, version: &Version) -> bool {
        match self {
            Piece::Point(point) => point.allows(version),
            Piece::Range(range) => range.allows(version),
        }
    }

    /// Whether the other piece lies in it whole.
    pub fn allows_all(&self, other: &Piece) -> bool {
        match (self, other) {
            (_, other) if other.is_empty() => true,
            (Piece::Point(one), Piece::Point(other)) => one.allows(other),
            (Piece::Point(_), Piece::Range(_)) => self == other,
            (Piece::Range(range), Piece::Point(point)) => {
                // A bound that is a local variant of the version splits the version's variants.
                let splits = range
                    .max
                    .as_ref()
                    .is_some_and(|max| max.local.is_some() && max.without_local() == *point);
                range.allows(point) && (point.local.is_some() || !splits)
            }
            (Piece::Range(_), Piece::Range(_)) => {
                !other.allows_lower(self) && !other.allows_higher(self)
            }
        }
    }

    /// Whether the two share a version.
    pub fn allows_any(&self, other: &Piece) -> bool {
        match (self, other) {
            (_, other) if other.is_empty() => false,
            (Piece::Point(_), _) => !self.intersect(other).is_empty(),
            (Piece::Range(range), Piece::Point(point)) => {
                let local_min = |min: &Version| min.local.is_some() && point.allows(min);
                range.allows(point) || range.min.as_ref().is_some_and(local_min)
            }
            (Piece::Range(_), Piece::Range(_)) => {
                !other.strictly_lower(self) && !self.strictly_lower(other)
            }
        }
    }

    /// Whether it begins below the other.
    pub fn allows_lower(&self, other: &Piece) -> bool {
        match (self.min(), other.min()) {
            (None, other) => other.is_some(),
            (Some(_), None) => false,
            (Some(one), Some(two)) => match one.cmp(two) {
                Ordering::Less => true,
                Ordering::Greater => false,
                Ordering::Equal => self.include_min() && !other.include_min(),
            },
        }
    }

    /// Whether it ends above the other.
    pub fn allows_higher(&self, other: &Piece) -> bool {
        match (self.max(), other.max()) {
            (None, other) => other.is_some(),
            (Some(_), None) => false,
            (Some(one), Some(two)) => match one.cmp(two) {
                Ordering::Less => false,
                Ordering::Greater => true,
                Ordering::Equal => self.include_max() && !other.include_max(),
            },
        }
    }

    /// Whether it ends before the other begins.
    pub fn strictly_lower(&self, other: &Piece) -> bool {
        match (self.max(), other.min()) {
            (Some(max), Some(min)) => match max.cmp(min) {
                Ordering::Less => true,
                Ordering::Greater => false,
                Ordering::Equal => !(self.include_max() && other.include_min()),
            },
            _ => false,
        }
    }

    /// Whether it ends exactly where the other begins, the bound being in one of them.
    pub fn is_adjacent_to(&self, other: &Piece) -> bool {
        self.max() == other.min() && self.include_max() != other.include_min()
    }

    /// The versions in both.
    pub fn intersect(&self, other: &Piece) -> Constraint {
        match (self, other) {
            (_, other) if other.is_empty() => Constraint::Empty,
            (Piece::Point(one), Piece::Point(two)) => {
                if one.allows(two) {
                    two.clone().into()
                } else if two.allows(one) {
                    one.clone().into()
                } else {
                    Constraint::Empty
                }
            }
            (Piece::Point(point), Piece::Range(range))
            | (Piece::Range(range), Piece::Point(point)) => range.intersect_point(point),
            (Piece::Range(_), Piece::Range(_)) => self.intersect_ranges(other),
        }
    }

    fn intersect_ranges(&self, other: &Piece) -> Constraint {
        let low = if self.allows_lower(other) {
            other
        } else {
            self
        };
        if self.strictly_lower(other) || other.strictly_lower(self) {
            return Constraint::Empty;
        }
        let high = if self.allows_higher(other) {
            other
        } else {
            self
        };
        match (low.min(), high.max()) {
            (Some(min), Some(max)) if min == max => min.clone().into(),
            (min, max) => Range::new(
                min.cloned(),
                max.cloned(),
                low.include_min(),
                high.include_max(),
            )
            .or_empty(),
        }
    }

    /// The versions in either.
    pub fn union(&self, other: &Piece) -> Constraint {
        match (self, other) {
            (Piece::Point(one), Piece::Point(two)) => {
                if two.allows(one) {
                    two.clone().into()
                } else if one.allows(two) {
                    one.clone().into()
                } else {
                    Constraint::of([self.clone().into(), other.clone().into()])
                }
            }
            (Piece::Point(point), Piece::Range(range))
            | (Piece::Range(range), Piece::Point(point)) => range.union_point(point),
            (Piece::Range(_), Piece::Range(_)) => self.union_ranges(other),
        }
    }

    fn union_ranges(&self, other: &Piece) -> Constraint {
        let touch = |one: &Piece, two: &Piece| {
            one.max() == two.min() && (one.include_max() || two.include_min())
        };
        if !touch(self, other) && !touch(other, self) && !self.allows_any(other) {
            return Constraint::of([self.clone().into(), other.clone().into()]);
        }
        let low = if self.allows_lower(other) {
            self
        } else {
            other
        };
        let high = if self.allows_higher(other) {
            self
        } else {
            other
        };
        Range::new(
            low.min().cloned(),
            high.max().cloned(),
            low.include_min(),
            high.include_max(),
        )
        .into()
    }

    /// The versions in this one and not in the other.
    pub fn difference(&self, other: &Piece) -> Constraint {
        match (self, other) {
            (Piece::Range(range), Piece::Point(point)) => range.without_point(point),
            (Piece::Range(range), Piece::Range(_)) => self.without_range(range, other),
            (Piece::Point(point), _) => {
                if other.allows_all(self) {
                    Constraint::Empty
                } else if other.allows_any(self) {
                    // Part of the version's local variants goes; spell the whole of them out.
                    let upper = if point.dev.is_some() {
                        point.next_development()
                    } else {
                        point.next_post()
                    };
                    let whole = Range::new(Some(point.clone()), Some(upper), true, false);
                    Piece::Range(whole).difference(other)
                } else {
                    self.clone().into()
                }
            }
        }
    }

    fn without_range(&self, range: &Range, other: &Piece) -> Constraint {
        if !self.allows_any(other) {
            return self.clone().into();
        }
        let below = self.allows_lower(other).then(|| match &range.min {
            Some(min) if Some(min) == other.min() => min.clone().into(),
            min => Range::new(
                min.clone(),
                other.min().cloned(),
                range.include_min,
                !other.include_min(),
            )
            .or_empty(),
        });
        let above = self.allows_higher(other).then(|| match &range.max {
            Some(max) if Some(max) == other.max() => max.clone().into(),
            max => Range::new(
                other.max().cloned(),
                max.clone(),
                !other.include_max(),
                range.include_max,
            )
            .or_empty(),
        });
        match (below, above) {
            (None, None) => Constraint::Empty,
            (Some(one), None) | (None, Some(one)) => one,
            (Some(below), Some(above)) => Constraint::of([below, above]),
        }
    }

    /// The order in which a union lists its pieces.
    pub fn order(&self, other: &Piece) -> Ordering {
        let by_min = match (self.min(), other.min()) {
            (Some(one), Some(two)) => one
                .cmp(two)
                .then_with(|| other.include_min().cmp(&self.include_min())),
            (one, two) => one.is_some().cmp(&two.is_some()),
        };
        by_min.then_with(|| match (self.max(), other.max()) {
            (Some(one), Some(two)) => one
                .cmp(two)
                .then_with(|| self.include_max().cmp(&other.include_max())),
            (one, two) => one.is_none().cmp(&two.is_none()),
        })
    }
}

impl PartialEq for Piece {
    fn eq(&self, other: &Piece) -> bool {
        self.min() == other.min()
            && self.max() == other.max()
            && self.include_min() == other.include_min()
            && self.include_max() == other.include_max()
    }
}

impl Eq for Piece {}
