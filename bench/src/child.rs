use std::process::Command;

const ME: &str = env!("CARGO_PKG_NAME");

/// The binary whose allocator counts, and under which nothing is timed.
const COUNTED: &str = "counted";

/// Arguments of both binaries, before the number of the holder.
pub const MEMORY: &str = "memory";

/// Argument of `counted`.
pub const REQUESTS: &str = "requests";

/// For each server of row 4, the allocations of one request.
pub(crate) fn allocations_of_requests() -> Vec<f64> {
    ask(COUNTED, &[REQUESTS])
}

/// The bytes allocated for a session.
pub fn allocated(holder: usize) -> f64 {
    ask(COUNTED, &[MEMORY, &holder.to_string()])[0]
}

/// The bytes resident for a session.
pub(crate) fn resident(holder: usize) -> f64 {
    ask(ME, &[MEMORY, &holder.to_string()])[0]
}

/// Runs one of the bench's binaries; it prints numbers.
pub fn ask(binary: &str, arguments: &[&str]) -> Vec<f64> {
    let this = std::env::current_exe().expect("the bench knows itself");
    let program = this
        .with_file_name(binary)
        .with_extension(std::env::consts::EXE_EXTENSION);
    let output = Command::new(&program).args(arguments).output();
    let output = output.unwrap_or_else(|error| {
        panic!(
            "{}: {error}; build all binaries of the bench first",
            program.display()
        )
    });
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "`{binary} {arguments:?}` failed: {errors}"
    );
    let numbers = String::from_utf8_lossy(&output.stdout);
    numbers
        .split_whitespace()
        .map(|number| number.parse().expect("it is a number"))
        .collect()
}
