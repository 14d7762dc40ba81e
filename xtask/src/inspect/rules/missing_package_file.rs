//! A file that an extension's manifest names and that is not there.

use super::Rule;
use crate::inspect::{Facts, Findings, Stage};
use crate::lockfile::json::{Json, Object};

/// The rule.
pub static RULE: Rule = Rule {
    id: "missing-package-file",
    stage: Stage::Build,
    title: "Every icon and file that an extension's package.json names exists",
    why: "vsce refuses a missing icon, and views and languages show nothing for other missing files",
    remedy: "add the file, or correct the path",
    look,
};

/// Keys whose value is a path.
const PATHS: [&str; 6] = ["icon", "light", "dark", "path", "configuration", "schema"];

fn look(facts: &Facts<'_>, found: &mut Findings) {
    for package in facts.extensions() {
        let mut named: Vec<(usize, String)> = Vec::new();
        if let Some(member) = package.top.member("icon") {
            named.extend(text(&member.value).map(|text| (member.line, text)));
        }
        if let Some(contributes) = package.top.object("contributes") {
            collect(contributes, &mut named);
        }
        for (line, file) in named {
            let is_path = !file.starts_with("$(") && !file.contains("://") && file.contains('.');
            let Some(path) = package.join(&file).filter(|_| is_path) else {
                continue;
            };
            if !facts.repository.has(&path) && !facts.repository.is_made(&path) {
                found.breaks(
                    package.path,
                    line,
                    format!("names {file}, which does not exist"),
                );
            }
        }
    }
}

fn text(value: &Json<'_>) -> Option<String> {
    match value {
        Json::Text(text) => Some(text.to_string()),
        _ => None,
    }
}

fn collect(object: &Object<'_>, named: &mut Vec<(usize, String)>) {
    for member in &object.members {
        match &member.value {
            Json::Text(text) if PATHS.contains(&&*member.key) => {
                named.push((member.line, text.to_string()));
            }
            // What a setting is called and defaults to is no path.
            Json::Object(_) if matches!(&*member.key, "properties" | "configuration") => {}
            Json::Object(inner) => collect(inner, named),
            Json::List(list) if member.key != "configuration" => {
                for inner in list.iter().filter_map(Json::as_object) {
                    collect(inner, named);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn icons_of_views_count_and_codicons_do_not() {
        let text = "{\"engines\": {\"vscode\": \"1\"},\n\"icon\": \"media/icon.png\",\n\"contributes\": {\n\"views\": {\"x\": [{\n\"icon\": \"resources/icon.svg\"}, {\"icon\": \"$(beaker)\"}]},\n\"configuration\": {\"properties\": {\"icon\": {\"icon\": \"no.svg\"}}}}}";
        let expected = ["breaks e/package.json:2", "breaks e/package.json:5"];
        check(&RULE, &[("e/package.json", text)], &expected);
        let files = [
            ("e/package.json", text),
            ("e/media/icon.png", ""),
            ("e/resources/icon.svg", ""),
        ];
        check(&RULE, &files, &[]);
    }
}
