//! The ids that a trace carries, what applications call them and what the wire does.
//!
//! Surroundings and engines set them on every span inside, propagation takes them to other processes.

/// Every span holds a copy of what it inherits; so many bytes may that have, of a single value or of all that an engine
/// is configured with.
pub(crate) const MAX_CARRIED: usize = 64 * 1024;

/// Who or what a trace belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum CarriedId {
    /// A session: several traces of one visit.
    Session = 0,
    /// Who it is done for.
    User = 1,
    /// Whose tenant that is.
    Organization = 2,
    /// A conversation.
    Thread = 3,
    /// One run of an agent or workflow, over suspension and resumption.
    Run = 4,
    /// The request that caused it.
    Request = 5,
    /// What it is done with or to.
    Resource = 6,
    /// Where it runs: production, staging.
    Environment = 7,
    /// What kind of thing does it: an agent, a workflow step.
    EntityType = 8,
    /// Its id.
    EntityId = 9,
    /// Its name.
    EntityName = 10,
}

/// What applications call them.
const NAMES: [(CarriedId, &str); 11] = [
    (CarriedId::Session, "session_id"),
    (CarriedId::User, "user_id"),
    (CarriedId::Organization, "organization_id"),
    (CarriedId::Thread, "thread_id"),
    (CarriedId::Run, "run_id"),
    (CarriedId::Request, "request_id"),
    (CarriedId::Resource, "resource_id"),
    (CarriedId::Environment, "environment"),
    (CarriedId::EntityType, "entity_type"),
    (CarriedId::EntityId, "entity_id"),
    (CarriedId::EntityName, "entity_name"),
];

impl CarriedId {
    /// Every one, in the order of their numbers.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.iter().map(|(id, _)| *id)
    }

    /// The name that applications use.
    pub fn name(self) -> &'static str {
        NAMES.get(self as usize).map_or("", |(_, name)| name)
    }

    /// The attribute on the wire, a convention's where there is one, and the entry of baggage.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Session => "session.id",
            Self::User => "user.id",
            Self::Organization => "polyspan.organization.id",
            Self::Thread => "gen_ai.conversation.id",
            Self::Run => "polyspan.run.id",
            Self::Request => "polyspan.request.id",
            Self::Resource => "polyspan.resource.id",
            Self::Environment => "deployment.environment.name",
            Self::EntityType => "polyspan.entity.type",
            Self::EntityId => "polyspan.entity.id",
            Self::EntityName => "polyspan.entity.name",
        }
    }

    /// Finds one by the name that applications use.
    pub fn from_name(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, known)| *known == name).map(|(id, _)| *id)
    }

    /// Finds one by its attribute.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::all().find(|id| id.key() == key)
    }
}

/// Some of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct CarriedSet(u16);

impl CarriedSet {
    /// None of them.
    pub const EMPTY: Self = Self(0);

    /// What may follow a request from process to process: all but what each process knows of itself.
    pub fn travelling() -> Self {
        let stays =
            [CarriedId::Environment, CarriedId::EntityType, CarriedId::EntityId, CarriedId::EntityName];
        CarriedId::all().filter(|id| !stays.contains(id)).collect()
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether this one is there.
    pub const fn contains(self, id: CarriedId) -> bool {
        self.0 & 1 << id as u8 != 0
    }

    /// Whether both have one in common.
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// This one too.
    #[must_use]
    pub const fn with(self, id: CarriedId) -> Self {
        Self(self.0 | 1 << id as u8)
    }
}

impl FromIterator<CarriedId> for CarriedSet {
    fn from_iter<I: IntoIterator<Item = CarriedId>>(ids: I) -> Self {
        ids.into_iter().fold(Self::EMPTY, Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_where_its_number_says() {
        for (at, id) in CarriedId::all().enumerate() {
            assert_eq!(id as usize, at);
            assert_eq!(CarriedId::from_name(id.name()), Some(id));
            assert_eq!(CarriedId::from_key(id.key()), Some(id));
        }
        assert!(CarriedSet::travelling().contains(CarriedId::Session));
        assert!(!CarriedSet::travelling().contains(CarriedId::Environment));
        assert!(CarriedSet::EMPTY.is_empty() && !CarriedSet::EMPTY.meets(CarriedSet::travelling()));
    }
}
