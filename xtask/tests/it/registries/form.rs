//! Forms with files as browsers and uploaders send them, taken apart.
//!
//! Source: RFC 7578.

use memchr::memmem;

use super::message::Asked;

/// One field of a form.
#[derive(Debug, Clone)]
pub struct Field {
    pub name: String,
    pub file_name: Option<String>,
    pub content_type: Option<String>,
    pub value: Vec<u8>,
}

/// The fields of a request's form in their order; nothing for what is no form.
pub fn fields(asked: &Asked) -> Option<Vec<Field>> {
    let kind = asked.header("content-type")?;
    let boundary = kind.split(';').find_map(|parameter| {
        let (name, value) = parameter.trim().split_once('=')?;
        (name == "boundary").then(|| value.trim_matches('"').to_owned())
    })?;
    let (first, delimiter) = (format!("--{boundary}"), format!("\r\n--{boundary}"));
    let mut rest = asked.body.strip_prefix(first.as_bytes())?;
    let mut found = Vec::new();
    while !rest.starts_with(b"--") {
        rest = rest.strip_prefix(b"\r\n")?;
        let end = memmem::find(rest, delimiter.as_bytes())?;
        found.push(field(&rest[..end])?);
        rest = &rest[end + delimiter.len()..];
    }
    Some(found)
}

/// The text of the first field of this name.
pub fn text(fields: &[Field], name: &str) -> Option<String> {
    let field = fields.iter().find(|field| field.name == name)?;
    Some(String::from_utf8_lossy(&field.value).into_owned())
}

fn field(part: &[u8]) -> Option<Field> {
    let end = memmem::find(part, b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&part[..end]);
    let header = |wanted: &str| {
        head.split("\r\n").find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted).then(|| value.trim())
        })
    };
    let disposition = header("content-disposition")?;
    let parameter = |wanted: &str| {
        disposition.split(';').skip(1).find_map(|parameter| {
            let (name, value) = parameter.trim().split_once('=')?;
            (name == wanted).then(|| value.trim_matches('"').to_owned())
        })
    };
    Some(Field {
        name: parameter("name")?,
        file_name: parameter("filename"),
        content_type: header("content-type").map(str::to_owned),
        value: part[end + 4..].to_owned(),
    })
}
