//! Compiles the program again when a file of the site comes, goes or changes: the macro that embeds them sees the files
//! that there were. A debug build reads them at each request.

fn main() {
    if std::env::var_os("PROFILE").is_some_and(|profile| profile == "release") {
        println!("cargo::rerun-if-changed=../../target/site");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
