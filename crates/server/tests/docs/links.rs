//! Links between the documents lead somewhere.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') && name != "node_modules" {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

/// All documents, by their paths in the repository; not what becomes part of one (`src`).
pub(crate) fn documents() -> BTreeMap<PathBuf, String> {
    let (root, mut found) = (root(), Vec::new());
    collect(&root, &mut found);
    found.retain(|path| !path.iter().any(|part| part == "src"));
    let name = |path: &PathBuf| path.strip_prefix(&root).unwrap().to_owned();
    found.iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect()
}

/// The text without blocks of code, in which `#` begins a comment and brackets are lists.
pub(crate) fn prose(text: &str) -> String {
    let mut prose = String::new();
    let mut is_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            prose.push_str(line);
            prose.push('\n');
        }
    }
    prose
}

/// How a heading is linked to.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn anchors(text: &str) -> BTreeSet<String> {
    let prose = prose(text);
    let headings = prose.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| anchor(line.trim_start_matches('#'))).collect()
}

/// What the links of a document name, but for addresses elsewhere: file and anchor.
fn links(text: &str) -> Vec<(String, String)> {
    let prose = prose(text);
    let links = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let ours = links.filter(|link| !link.starts_with("http"));
    ours.map(|link| link.split_once('#').unwrap_or((link, "")))
        .map(|(file, anchor)| (file.to_owned(), anchor.to_owned()))
        .collect()
}

/// The file that a link in a document names.
fn target(document: &Path, file: &str) -> PathBuf {
    if file.is_empty() {
        return document.to_owned();
    }
    let mut path = document.parent().unwrap().to_owned();
    for part in Path::new(file) {
        match part.to_str().unwrap() {
            ".." => assert!(path.pop(), "{file}"),
            part => path.push(part),
        }
    }
    path
}

#[test]
fn every_link_leads_somewhere() {
    let documents = documents();
    assert!(documents.len() > 20, "{}", documents.len());
    let mut followed = 0;
    for (document, text) in &documents {
        for (file, anchor) in links(text) {
            let target = target(document, &file);
            let from = document.display();
            assert!(root().join(&target).exists(), "{from}: {file} is not there");
            if !anchor.is_empty() {
                let there = documents.get(&target).map(|text| anchors(text)).unwrap_or_default();
                assert!(there.contains(&anchor), "{from}: {file} has no heading #{anchor}");
            }
            followed += 1;
        }
    }
    assert!(followed > 50, "{followed}");
}

#[test]
fn every_page_is_found_from_the_readme() {
    let documents = documents();
    let readme = Path::new("README.md");
    let found: BTreeSet<_> =
        links(&documents[readme]).iter().map(|(file, _)| target(readme, file)).collect();
    for page in documents.keys().filter(|page| page.starts_with("docs")) {
        assert!(found.contains(page), "README.md does not lead to {}", page.display());
    }
}
