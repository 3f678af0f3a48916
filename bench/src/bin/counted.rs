//! Counts allocations, under an allocator that would slow the timed cases down. The bench runs it.

use session_bench::memory::{HOLDERS, SESSIONS};
use session_bench::{child, request, runtime};

fn main() {
    let runtime = runtime();
    let _entered = runtime.enter();
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [child::REQUESTS] => {
            let counts = |batch: &mut dyn FnMut()| allocation_counter::measure(batch).count_total;
            for allocations in request::count(&runtime, counts) {
                println!("{allocations}");
            }
        }
        [child::MEMORY, holder] => {
            let holder = HOLDERS[holder.parse::<usize>().expect("it is a place")];
            let mut sessions = None;
            let info = allocation_counter::measure(|| sessions = Some(holder.fill(&runtime)));
            println!("{}", info.bytes_current as f64 / SESSIONS as f64);
        }
        _ => panic!("the bench runs this program, with its own arguments"),
    }
}
