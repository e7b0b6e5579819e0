//! Compiles the program again when a file of the site comes, goes or changes: the macro that embeds them sees the files
//! that there were.

fn main() {
    println!("cargo::rerun-if-changed=../../target/site");
    println!("cargo::rerun-if-changed=build.rs");
}
