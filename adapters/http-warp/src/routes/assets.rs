//! Files: the stylesheet and the script of our pages, and the team's own.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Component, Path, PathBuf};
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, Method, StatusCode};
use tokio::io::AsyncReadExt as _;

use super::Matched;
use crate::extract::Request;
use crate::pages::render::{SCRIPT, SENDING, STYLESHEET};
use crate::problem::Problem;
use crate::reply::Reply;

/// Largest file we send, in bytes: it is read whole.
const LARGEST: u64 = 16 * 1024 * 1024;

/// What a folder shows.
const INDEX: &str = "index.html";

/// `GET /assets/portcullis.css`.
pub async fn stylesheet(request: Request, _: Matched) -> Result<Reply, Problem> {
    Ok(built_in(&request, "text/css; charset=utf-8", STYLESHEET))
}

/// `GET /assets/passkeys.js`.
pub async fn script(request: Request, _: Matched) -> Result<Reply, Problem> {
    Ok(built_in(&request, "text/javascript; charset=utf-8", SCRIPT))
}

/// `GET /assets/send.js`.
pub async fn sending(request: Request, _: Matched) -> Result<Reply, Problem> {
    Ok(built_in(&request, "text/javascript; charset=utf-8", SENDING))
}

fn built_in(request: &Request, content_type: &'static str, text: &'static str) -> Reply {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    let tag = format!("\"{:016x}\"", hasher.finish());
    let reply = if is_fresh(&request.headers, &tag) {
        not_modified()
    } else {
        Reply::bytes(StatusCode::OK, content_type, text)
    };
    reply
        .header(ETAG, &tag)
        .header(CACHE_CONTROL, "public, max-age=600")
}

/// A file of the team, else what Express says.
pub async fn file_or_not_found(request: Request, _: Matched) -> Result<Reply, Problem> {
    if let Some(reply) = own_file(&request, &request.path).await {
        return Ok(reply);
    }
    Err(Problem::not_found(format!(
        "Cannot {} {}",
        request.method,
        shown(&request.path)
    )))
}

/// The team's own start page, if there is one.
pub async fn index(request: &Request) -> Option<Reply> {
    own_file(request, "/").await
}

/// The file of the team's folder that a path names, if there is one and the request wants to read it. Nothing below the folder is
/// listed, hidden or reached around: whatever is odd about a path is simply not there.
pub async fn own_file(request: &Request, path: &str) -> Option<Reply> {
    let folder = request.app.settings.static_dir.as_deref()?;
    if !matches!(request.method, Method::GET | Method::HEAD) {
        return None;
    }
    let relative = relative(path)?;
    let is_folder = path.ends_with('/');
    let wanted = if is_folder {
        relative.join(INDEX)
    } else {
        relative.clone()
    };
    match find(folder, &wanted).await {
        Some(file) => answer(&file, &request.headers).await,
        // Without its slash at the end the links in a folder's page would lead elsewhere.
        None if !is_folder => find(folder, &relative.join(INDEX))
            .await
            .map(|_| Reply::found(&format!("{path}/"))),
        None => None,
    }
}

/// The path below the folder that a request names: decoded once; plain visible names only. Hidden files, `..`, empty names, and
/// characters that some system takes for a separator are refused in every spelling, for they are judged after decoding.
fn relative(path: &str) -> Option<PathBuf> {
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8().ok()?;
    let inside = decoded.strip_prefix('/')?;
    let inside = inside.strip_suffix('/').unwrap_or(inside);
    let mut relative = PathBuf::new();
    if inside.is_empty() {
        return (decoded == "/").then_some(relative);
    }
    for name in inside.split('/') {
        let plain = !name.is_empty()
            && !name.starts_with('.')
            && !name.chars().any(|c| c.is_control() || matches!(c, '\\' | ':'));
        if !plain {
            return None;
        }
        relative.push(name);
    }
    Some(relative)
}

/// The file that a path really leads to. A link that leaves the folder, or into something hidden, is not followed.
async fn find(folder: &Path, relative: &Path) -> Option<PathBuf> {
    let root = tokio::fs::canonicalize(folder).await.ok()?;
    let real = tokio::fs::canonicalize(root.join(relative)).await.ok()?;
    let inside = real.strip_prefix(&root).ok()?;
    let is_hidden = |part: Component<'_>| part.as_os_str().to_string_lossy().starts_with('.');
    if inside.components().any(is_hidden) {
        return None;
    }
    tokio::fs::metadata(&real).await.ok()?.is_file().then_some(real)
}

/// Sends a file, or says that the caller has it already. Pages of the team bring their own policy, so ours is not put on them.
async fn answer(file: &Path, headers: &HeaderMap) -> Option<Reply> {
    let kind = tokio::fs::metadata(file).await.ok()?;
    if kind.len() > LARGEST {
        return None;
    }
    let changed = kind
        .modified()
        .ok()?
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let tag = format!("W/\"{:x}-{:x}\"", kind.len(), changed.as_nanos());
    let reply = if is_fresh(headers, &tag) {
        not_modified()
    } else {
        Reply::bytes(StatusCode::OK, content_type(file), read(file).await?)
    };
    Some(
        reply
            .header(ETAG, &tag)
            .header(CACHE_CONTROL, "public, max-age=0"),
    )
}

/// Reads a file whole; one that grew beyond the bound meanwhile is not sent.
async fn read(file: &Path) -> Option<Bytes> {
    let mut bytes = Vec::new();
    let mut file = tokio::fs::File::open(file).await.ok()?.take(LARGEST + 1);
    file.read_to_end(&mut bytes).await.ok()?;
    let fits = u64::try_from(bytes.len()).is_ok_and(|length| length <= LARGEST);
    fits.then(|| Bytes::from(bytes))
}

fn not_modified() -> Reply {
    Reply::empty(StatusCode::NOT_MODIFIED)
}

/// Whether the caller's copy is this one; compared weakly (RFC 9110 section 13.1.2).
fn is_fresh(headers: &HeaderMap, tag: &str) -> bool {
    let weak = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let lines = headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|line| line.to_str().ok());
    lines
        .flat_map(|line| line.split(','))
        .any(|known| known.trim() == "*" || weak(known) == weak(tag))
}

/// The media type by the name's ending; what is unknown is bytes, and `nosniff` keeps it that.
fn content_type(file: &Path) -> &'static str {
    let ending = file
        .extension()
        .and_then(|ending| ending.to_str())
        .unwrap_or_default();
    match ending.to_ascii_lowercase().as_str() {
        "html" | "htm" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" | "map" => "application/json; charset=utf-8",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        "md" => "text/markdown; charset=utf-8",
        "csv" => "text/csv; charset=utf-8",
        "xml" => "application/xml",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "ico" => "image/x-icon",
        "woff" => "font/woff",
        "woff2" => "font/woff2",
        "ttf" => "font/ttf",
        "otf" => "font/otf",
        "mp3" => "audio/mpeg",
        "ogg" => "audio/ogg",
        "mp4" => "video/mp4",
        "webm" => "video/webm",
        "pdf" => "application/pdf",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    }
}

/// A path for a message: bounded, and only if it holds nothing but what plain paths hold.
fn shown(path: &str) -> &str {
    let plain = path.len() <= 100
        && path
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/-_.%".contains(&byte));
    if plain { path } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_lead_below_the_folder() {
        assert_eq!(relative("/").unwrap(), Path::new(""));
        assert_eq!(relative("/a/b%20c.html").unwrap(), Path::new("a/b c.html"));
        assert_eq!(relative("/a/").unwrap(), Path::new("a"));
        assert_eq!(relative("/%252e%252e/x").unwrap(), Path::new("%2e%2e/x"));
    }

    #[test]
    fn no_spelling_leads_out_of_the_folder_or_to_what_is_hidden() {
        let bad = [
            "",
            "a",
            "//",
            "//etc/passwd",
            "/a//b",
            "/..",
            "/../x",
            "/a/../x",
            "/./x",
            "/%2e%2e/x",
            "/%2E%2e%2fx",
            "/..%2f..%2fx",
            "/a/%2e%2e/%2e%2e/x",
            "/..%5cx",
            "/a%5c..%5cx",
            "/.env",
            "/.git/config",
            "/a/.hidden",
            "/%2eenv",
            "/a%00.html",
            "/c:/x",
            "/a%0a",
            "/%ff",
            "/..;/x",
            "/a/..",
            "/%2f%2fetc/passwd",
        ];
        for path in bad {
            assert_eq!(relative(path), None, "{path}");
        }
    }

    #[test]
    fn a_copy_is_known_by_its_tag_however_it_is_written() {
        let with = |line: &str| {
            [(IF_NONE_MATCH, line.parse().unwrap())]
                .into_iter()
                .collect::<HeaderMap>()
        };
        for known in ["\"a\"", "W/\"a\"", "\"b\", W/\"a\"", "*"] {
            assert!(is_fresh(&with(known), "W/\"a\""), "{known}");
        }
        assert!(!is_fresh(&with("\"b\""), "\"a\""));
        assert!(!is_fresh(&HeaderMap::new(), "\"a\""));
    }
}
