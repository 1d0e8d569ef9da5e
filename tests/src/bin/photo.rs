//! The photo of a story: `parlor-photo make FILE` takes one, with where it was taken; `parlor-photo search FOLDER` looks for that in
//! every byte of every file there, and fails if it finds it.
#![expect(clippy::print_stdout, reason = "printing is what a command line is for")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use parlor_tests::samples::{PLACE, photo, secrets_in};

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["make", file] => make(Path::new(file)),
        ["search", folder] => search(Path::new(folder)),
        _ => {
            println!("parlor-photo make FILE | parlor-photo search FOLDER");
            ExitCode::from(64)
        }
    }
}

fn make(file: &Path) -> ExitCode {
    let photo = photo();
    fs::write(file, &photo).expect("the file can be written");
    println!("{} bytes, taken at {} N {} E", photo.len(), PLACE.0, PLACE.1);
    ExitCode::SUCCESS
}

fn search(folder: &Path) -> ExitCode {
    let (mut bytes, mut hits) = (0, 0);
    let files = files(folder);
    for file in &files {
        let text = fs::read(file).expect("the file can be read");
        bytes += text.len();
        for secret in secrets_in(&text) {
            hits += 1;
            println!("{} holds {secret}", file.display());
        }
    }
    println!("{hits} hits in {bytes} bytes of {} files", files.len());
    if hits == 0 && !files.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder).expect("a folder can be read").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
