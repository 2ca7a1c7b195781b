//! The first users of a segment in an order, between two places.

use crate::bits::Bits;
use crate::places::{Numbers, SortedPlace, Steps, turned};
use crate::segment::Segment;
use crate::sorting::{SortValue, Sorting};

/// What is asked of a list.
#[derive(Debug, Clone, Copy)]
pub struct PageRequest<'a> {
    /// The order of the list.
    pub sorting: &'a Sorting,
    /// Only users behind this place.
    pub after: Option<&'a [SortValue]>,
    /// Only users ahead of this place.
    pub before: Option<&'a [SortValue]>,
    /// Most users.
    pub most: usize,
}

/// A request, with its bounds as places in a segment.
struct Placed<'a> {
    sorting: &'a Sorting,
    steps: Steps<'a>,
    after: Option<SortedPlace>,
    before: Option<SortedPlace>,
    most: usize,
}

impl Segment {
    /// The first of the users in the order, between the two places.
    pub(crate) fn select(&self, users: &Bits, selection: &PageRequest) -> Vec<u32> {
        let PageRequest { sorting, most, .. } = *selection;
        let found = users.count();
        if found == 0 || most == 0 {
            return Vec::new();
        }
        let place = |values: Option<&[SortValue]>| values.map(|values| self.place_of(sorting, values));
        let steps = self.steps(sorting);
        let placed =
            Placed { sorting, steps, after: place(selection.after), before: place(selection.before), most };
        // Where the users lie evenly, this number of steps along the order leads past enough of them.
        let steps = most * self.len() / found;
        if steps < found
            && let Some(first) = self.walk(users, &placed, 4 * steps + 256)
        {
            return first;
        }
        pass(users, &placed)
    }

    /// Walks along the order. `None` if it was given up, or if the users are not laid out in this order.
    fn walk(&self, users: &Bits, placed: &Placed, most_steps: usize) -> Option<Vec<u32>> {
        let (first, is_descending) = match *placed.sorting.steps() {
            [first] => (first, first.is_descending),
            [first, name] if first.is_descending == name.is_descending => (first, name.is_descending),
            _ => return None,
        };
        let order = self.by(first.field);
        let user = |step: usize| {
            let index = if is_descending { self.len() - 1 - step } else { step };
            order.map_or(u32::try_from(index).expect("a segment has few users"), |order| order[index])
        };
        let place = |step| placed.steps.place(user(step));
        let begin = placed.after.map_or(0, |after| first_step(self.len(), |step| place(step) <= after));
        let end =
            placed.before.map_or(self.len(), |before| first_step(self.len(), |step| place(step) < before));
        let walked = (begin..end).take(most_steps).map(user);
        let found: Vec<u32> = walked.filter(|user| users.contains(*user)).take(placed.most).collect();
        let is_whole = found.len() == placed.most || end.saturating_sub(begin) <= most_steps;
        is_whole.then_some(found)
    }
}

/// Looks at all users and keeps the first ones.
fn pass(users: &Bits, placed: &Placed) -> Vec<u32> {
    let (step, numbers) = placed.steps.first();
    // One loop for each kind of numbers, so that it need not ask for every user which it is.
    match numbers {
        Numbers::OfUser => least(users, placed, |user| turned(step, Numbers::OfUser.of(user))),
        Numbers::Ranks(ranks, texts) => {
            least(users, placed, |user| turned(step, Numbers::Ranks(ranks, texts).of(user)))
        }
        Numbers::States(states) => {
            least(users, placed, |user| turned(step, Numbers::States(states).of(user)))
        }
        Numbers::Times(times) => least(users, placed, |user| turned(step, Numbers::Times(times).of(user))),
    }
}

/// The first of the users. `first` gives the first number of a user's place.
fn least(users: &Bits, placed: &Placed, first: impl Fn(u32) -> u64) -> Vec<u32> {
    let mut kept: Vec<(SortedPlace, u32)> = Vec::with_capacity(2 * placed.most);
    let mut limit = placed.before;
    let begin = placed.after.map_or(0, |after| after[0]);
    let mut greatest = limit.map_or(u64::MAX, |limit| limit[0]);
    for user in users.iter() {
        let number = first(user);
        if number < begin || number > greatest {
            continue;
        }
        let place = placed.steps.place(user);
        if placed.after.is_some_and(|after| place <= after) || limit.is_some_and(|limit| place >= limit) {
            continue;
        }
        kept.push((place, user));
        if kept.len() == 2 * placed.most {
            // Whatever lies behind the last of the first ones is out.
            let (_, last, _) = kept.select_nth_unstable(placed.most - 1);
            limit = Some(last.0);
            greatest = last.0[0];
            kept.truncate(placed.most);
        }
    }
    kept.sort_unstable();
    kept.truncate(placed.most);
    kept.into_iter().map(|(_, user)| user).collect()
}

/// The first step that is not ahead.
fn first_step(steps: usize, is_ahead: impl Fn(usize) -> bool) -> usize {
    let mut ahead = 0;
    let mut behind = steps;
    while ahead < behind {
        let middle = ahead.midpoint(behind);
        if is_ahead(middle) {
            ahead = middle + 1;
        } else {
            behind = middle;
        }
    }
    ahead
}
