//! Gives bytes to the target that `PARLOR_FUZZ` names: one program for all of them, so that they are built once.
//!
//! With `PARLOR_FUZZ_SEEDS` it writes what each search begins with into that folder, prints a line for each target, with its
//! name and how many bytes are worth trying, and ends.
#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use parlor_hostile::{ALL, Target};

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let name = std::env::var("PARLOR_FUZZ").expect("PARLOR_FUZZ names a target");
    Target::named(&name).expect("PARLOR_FUZZ names one of the targets")
});

fuzz_target!(
    init: {
        if let Some(folder) = std::env::var_os("PARLOR_FUZZ_SEEDS") {
            write_seeds(Path::new(&folder)).expect("the folder can be written to");
            std::process::exit(0);
        }
    },
    |data: &[u8]| (TARGET.run)(data)
);

fn write_seeds(root: &Path) -> std::io::Result<()> {
    for target in &ALL {
        println!("{} {}", target.name, target.max_len);
        let folder = root.join(target.name);
        std::fs::create_dir_all(&folder)?;
        for (number, seed) in (target.seeds)().into_iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{number}")), seed)?;
        }
    }
    Ok(())
}
