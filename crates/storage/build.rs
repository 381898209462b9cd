//! Migrations are embedded: cargo has to be told that the program changes with them. Their digest
//! names the template from which tests copy a migrated database.

use std::{
    collections::hash_map::DefaultHasher,
    fs,
    hash::{Hash, Hasher},
    path::{Path, PathBuf},
};

fn files(folder: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files(&path, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}

fn main() -> std::io::Result<()> {
    let mut found = Vec::new();
    files(Path::new("migrations"), &mut found)?;
    found.sort();
    let mut hasher = DefaultHasher::new();
    for path in &found {
        path.hash(&mut hasher);
        fs::read(path)?.hash(&mut hasher);
    }
    println!("cargo:rerun-if-changed=migrations");
    println!("cargo:rustc-env=VESTIBULE_MIGRATIONS={:016x}", hasher.finish());
    Ok(())
}
