//! The dashboard: one page and what it needs, out of the binary. It talks to the REST API like any
//! other client; nothing here knows a server.

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest as _, Sha256};

/// What the page may do: run our scripts, use our styles, ask our API, and nothing else. Scripts
/// cannot turn text into markup at all.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; \
     style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
     trusted-types 'none'";

const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The page itself.
const PAGE: Asset = Asset {
    name: "index.html",
    kind: "text/html; charset=utf-8",
    text: include_str!("dashboard/index.html"),
};

/// What the page needs, under `/assets/`. A file in `dashboard/` that is not here fails a test.
const ASSETS: [Asset; 16] = [
    style("dialog.css", include_str!("dashboard/dialog.css")),
    style("style.css", include_str!("dashboard/style.css")),
    script("actions.js", include_str!("dashboard/actions.js")),
    script("app.js", include_str!("dashboard/app.js")),
    script("client.js", include_str!("dashboard/client.js")),
    script("deploy.js", include_str!("dashboard/deploy.js")),
    script("details.js", include_str!("dashboard/details.js")),
    script("dialogs.js", include_str!("dashboard/dialogs.js")),
    script("forms.js", include_str!("dashboard/forms.js")),
    script("live.js", include_str!("dashboard/live.js")),
    script("logs.js", include_str!("dashboard/logs.js")),
    script("schema.js", include_str!("dashboard/schema.js")),
    script("server.js", include_str!("dashboard/server.js")),
    script("table.js", include_str!("dashboard/table.js")),
    script("text.js", include_str!("dashboard/text.js")),
    script("update.js", include_str!("dashboard/update.js")),
];

/// One file.
struct Asset {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
}

const fn style(name: &'static str, text: &'static str) -> Asset {
    Asset {
        name,
        kind: STYLE,
        text,
    }
}

const fn script(name: &'static str, text: &'static str) -> Asset {
    Asset {
        name,
        kind: SCRIPT,
        text,
    }
}

/// The page at `/` and its files under `/assets/`. They hold no secrets, so they are for everyone.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/", get(page))
        .route("/assets/{name}", get(asset))
}

async fn page(headers: HeaderMap) -> Response {
    answer(&PAGE, &headers)
}

async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    match ASSETS.iter().find(|asset| asset.name == name) {
        Some(asset) => answer(asset, &headers),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// A file with its guards. Browsers keep it and ask each time whether it changed, so that a new
/// version of the program is a new version of the page at once.
fn answer(asset: &Asset, headers: &HeaderMap) -> Response {
    let tag = tag(asset);
    let known = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|value| value.trim().trim_start_matches("W/") == tag);
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, asset.kind)], asset.text).into_response()
    };
    for (name, value) in guards() {
        response.headers_mut().insert(name, value);
    }
    let tag = HeaderValue::from_str(&tag).expect("a quoted hexadecimal word is a header value");
    response.headers_mut().insert(header::ETAG, tag);
    response
}

fn guards() -> [(HeaderName, HeaderValue); 6] {
    let fixed = HeaderValue::from_static;
    [
        (
            header::CONTENT_SECURITY_POLICY,
            fixed(CONTENT_SECURITY_POLICY),
        ),
        (header::X_CONTENT_TYPE_OPTIONS, fixed("nosniff")),
        (header::REFERRER_POLICY, fixed("no-referrer")),
        (header::CACHE_CONTROL, fixed("no-cache")),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            fixed("same-origin"),
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            fixed("same-origin"),
        ),
    ]
}

/// The entity tag (RFC 9110, 8.8.3): sixteen digits of the SHA-256.
fn tag(asset: &Asset) -> String {
    let digest = Sha256::digest(asset.text);
    let word: String = digest.iter().take(8).map(|b| format!("{b:02x}")).collect();
    format!("\"{word}\"")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use tower::ServiceExt as _;

    use super::*;

    async fn ask(path: &str, tag: Option<&str>) -> Response {
        let mut request = Request::get(path);
        if let Some(tag) = tag {
            request = request.header(header::IF_NONE_MATCH, tag);
        }
        let request = request.body(Body::empty()).unwrap();
        routes::<()>().oneshot(request).await.unwrap()
    }

    #[test]
    fn every_file_of_the_page_is_served() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/dashboard");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != PAGE.name)
            .collect();
        files.sort();
        let mut served: Vec<&str> = ASSETS.iter().map(|asset| asset.name).collect();
        served.sort_unstable();
        assert_eq!(files, served);
    }

    #[test]
    fn no_script_makes_markup_or_code_of_text() {
        let ways = [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "DOMParser",
            "createContextualFragment",
            "srcdoc",
            ".style",
        ];
        for asset in &ASSETS {
            for way in ways {
                assert!(!asset.text.contains(way), "{}: {way}", asset.name);
            }
        }
    }

    #[test]
    fn the_page_needs_nothing_of_others() {
        for asset in ASSETS.iter().chain([&PAGE]) {
            let foreign = asset.text.replace("http://www.w3.org/2000/svg", "");
            assert!(!foreign.contains("http://"), "{}", asset.name);
            assert!(!foreign.contains("https://"), "{}", asset.name);
        }
        assert!(!PAGE.text.contains("<style"));
        assert!(!PAGE.text.contains("style="));
        assert!(!PAGE.text.contains("<script>"));
        assert!(!PAGE.text.contains(" onclick"));
    }

    #[tokio::test]
    async fn the_page_is_guarded_and_kept_until_it_changes() {
        let response = ask("/", None).await;
        assert_eq!(response.status(), StatusCode::OK);
        for (name, value) in guards() {
            assert_eq!(response.headers().get(&name), Some(&value), "{name}");
        }
        let tag = response.headers()[header::ETAG]
            .to_str()
            .unwrap()
            .to_owned();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        assert_eq!(body, PAGE.text);

        let again = ask("/", Some(&format!("\"other\", W/{tag}"))).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert!(
            again
                .headers()
                .contains_key(header::CONTENT_SECURITY_POLICY)
        );
        assert_eq!(ask("/", Some("\"other\"")).await.status(), StatusCode::OK);
    }

    #[tokio::test]
    async fn only_files_of_the_page_are_served() {
        assert_eq!(ask("/assets/app.js", None).await.status(), StatusCode::OK);
        for path in ["/assets/index.html", "/assets/..%2fCargo.toml", "/assets/x"] {
            assert_eq!(ask(path, None).await.status(), StatusCode::NOT_FOUND);
        }
    }
}
