//! Which users of a segment a filter lets pass.

use domain::timestamp::Timestamp;

use crate::bits::Bits;
use crate::condition::Condition;
use crate::segment::Segment;
use crate::user::Tag;

impl Segment {
    /// The users that all conditions hold for, without those that are masked.
    pub(crate) fn matching(&self, filter: &[Condition], masked: &Bits) -> Bits {
        let mut matching = Bits::all(self.len());
        matching.remove(masked);
        for condition in filter {
            if matching.count() == 0 {
                break;
            }
            self.keep(&mut matching, condition);
        }
        matching
    }

    fn keep(&self, matching: &mut Bits, condition: &Condition) {
        let mut set = Bits::none(self.len());
        match condition {
            Condition::Word(word) => self.add_found(word, &mut set),
            Condition::States(states) => {
                for state in states {
                    set.add(&self.tagged[Tag::State(*state).index()]);
                }
            }
            Condition::Groups(groups) => {
                let ranks = groups.iter().filter_map(|group| self.group_ranks.get(group));
                ranks.for_each(|rank| set.extend(self.groups.users(*rank).iter().copied()));
            }
            Condition::Email(address) => set.extend(self.emails.having(address).iter().copied()),
            Condition::Phone(number) => set.extend(self.phones.having(number).iter().copied()),
            Condition::Roles(roles) => {
                for role in roles {
                    set.add(&self.tagged[Tag::Role(*role).index()]);
                }
            }
            Condition::MustChangePassword(true) => set.add(&self.tagged[Tag::MustChangePassword.index()]),
            Condition::MustChangePassword(false) => {
                return matching.remove(&self.tagged[Tag::MustChangePassword.index()]);
            }
            Condition::Between { time, after, before } => {
                let column = self.times(*time);
                let range = column.between(after.map(Timestamp::micros), before.map(Timestamp::micros));
                // The shorter of the two: what is inside, or what is outside.
                if range.len() > self.len() / 2 {
                    set.extend(column.order[..range.start].iter().copied());
                    set.extend(column.order[range.end..].iter().copied());
                    return matching.remove(&set);
                }
                set.extend(column.order[range].iter().copied());
            }
        }
        matching.keep(&set);
    }
}
