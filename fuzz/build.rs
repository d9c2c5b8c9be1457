//! Compiles `template.c`, the object whose sections the targets replace, in both byte orders.

use std::path::PathBuf;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=template.c");
    let folder = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    for target in ["bpfel", "bpfeb"] {
        let mut clang = Command::new("clang");
        clang.args(["-O2", "-g", "-Wall", "-Werror", "-mcpu=v3", "-target", target]);
        clang.args(["-c", "template.c", "-o"]).arg(folder.join(format!("{target}.o")));
        let status = clang.status().expect("clang is needed; `cargo xtask fuzz` installs it");
        assert!(status.success(), "clang refuses template.c");
        let object = folder.join(format!("{target}.o"));
        let status = Command::new("llvm-strip").arg("-g").arg(object).status();
        assert!(status.is_ok_and(|status| status.success()), "llvm-strip is needed");
    }
}
