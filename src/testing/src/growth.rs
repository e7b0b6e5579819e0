//! Whether work grows as its input does: four times the input may take eight times the time. Work that is linear takes
//! four, work that is quadratic sixteen, so a machine that is busy with something else may be wrong by a factor of two.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

const ROUNDS: usize = 30;
/// How much larger the larger input is, and how much longer it may take.
const LARGER: usize = 4;
const LONGER: u32 = 8;
/// Who has just slept is not interrupted soon.
const REST: Duration = Duration::from_millis(2);
/// What a busy machine adds to the fastest round too. Work that is not linear takes tens of milliseconds longer.
const NOISE: Duration = Duration::from_millis(2);

/// Times work on a size and on four times that, in turn. Of each the fastest of several rounds counts, for other programs can
/// only make a round slower.
pub struct Growth {
    what: &'static str,
    size: usize,
    timed: usize,
    fastest: [Duration; 2],
}

impl Growth {
    pub fn of(what: &'static str, size: usize) -> Self {
        Self { what, size, timed: 0, fastest: [Duration::MAX; 2] }
    }

    /// The size to time next; `None` once the work is known to be linear.
    ///
    /// # Panics
    /// Where it is not.
    pub fn next_size(&self) -> Option<usize> {
        let [small, large] = self.fastest;
        let is_between = self.timed % 2 == 1;
        if !is_between && self.timed >= 6 && large <= small * LONGER + NOISE {
            return None;
        }
        let (what, size) = (self.what, self.size);
        assert!(self.timed < 2 * ROUNDS, "{what}: {size} take {small:?}, {LARGER} times as many {large:?}");
        std::thread::sleep(REST);
        Some(if is_between { LARGER * size } else { size })
    }

    pub fn took(&mut self, duration: Duration) {
        let fastest = &mut self.fastest[self.timed % 2];
        *fastest = duration.min(*fastest);
        self.timed += 1;
    }
}

/// What all threads of this process have worked: the time to give to [`Growth`] where work is done by several of them, in
/// a test that is a process of its own (`on_both!(alone: …)`). Other tests at the same time do not make it longer.
pub fn process_time() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().expect("it does not run backwards")
}

/// As [`Growth`], for work that does not wait for anything: it counts the processor's time alone, as longer work is
/// interrupted more often.
pub fn assert_linear<I, O>(
    what: &'static str,
    size: usize,
    input: impl Fn(usize) -> I,
    work: impl Fn(&I) -> O,
) {
    let mut growth = Growth::of(what, size);
    while let Some(size) = growth.next_size() {
        let input = input(size);
        let begin = processor_time();
        std::hint::black_box(work(&input));
        growth.took(processor_time() - begin);
    }
}

/// Of this thread.
fn processor_time() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().expect("it does not run backwards")
}
