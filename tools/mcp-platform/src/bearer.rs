//! The bearer token of a request, compared so that a wrong one takes as long as the right one.

use axum::http::{HeaderMap, header};
use subtle::ConstantTimeEq as _;

use crate::model::Secret;

/// Whether the request carries the token.
pub fn bears(headers: &HeaderMap, token: &Secret) -> bool {
    headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .is_some_and(|(scheme, given)| {
            scheme.eq_ignore_ascii_case("bearer")
                && bool::from(given.trim().as_bytes().ct_eq(token.expose().as_bytes()))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, good: bool) {
        let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]);
        assert_eq!(bears(&headers, &Secret::new("geheim")), good, "{value:?}");
    }

    #[test]
    fn only_the_token_passes() {
        check("Bearer geheim", true);
        check("bearer geheim", true);
        check("Bearer geheim2", false);
        check("Bearer gehei", false);
        check("Bearer ", false);
        check("geheim", false);
        check("Basic geheim", false);
        assert!(!bears(&HeaderMap::new(), &Secret::new("geheim")));
    }
}
