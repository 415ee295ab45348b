//! Fidelity as data: which behaviours the model has, where they come from, and how sure we are.

/// How sure we are that the real product behaves this way; the weaker, the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Evidence {
    /// Microsoft documentation.
    Documented,
    /// Blogs, forums, public scripts.
    Field,
    /// Deduced from documented or field facts.
    Inferred,
    /// No source: a choice of this model.
    Invented,
}

/// Declares the behaviours: variant, class, citation, summary.
macro_rules! behaviours {
    ($($variant:ident = $class:ident, $cite:literal, $summary:literal;)*) => {
        /// A modelled behaviour that verdicts can lean on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        pub enum Behaviour {
            $(#[doc = $summary] $variant,)*
        }

        impl Behaviour {
            /// All behaviours, in order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Evidence class.
            pub fn evidence(self) -> Evidence {
                match self { $(Self::$variant => Evidence::$class),* }
            }

            /// Where it comes from.
            pub fn citation(self) -> &'static str {
                match self { $(Self::$variant => $cite),* }
            }

            /// What it says.
            pub fn summary(self) -> &'static str {
                match self { $(Self::$variant => $summary),* }
            }
        }
    };
}

// Add a line where a behaviour is modelled, and call `Fabric::lean` where it decides something.
behaviours! {
    HomingUnchanged = Documented, "dossier B.3", "pool failure, failover and failback never change RegistrarPool";
    VoiceDetection = Documented, "dossier B.2", "the backup registrar accepts users after the failure detection interval";
    NextHopRefusal = Documented, "dossier C.3", "a pool that is the next hop of an Edge pool cannot be failed over";
    FailoverDuration = Inferred, "dossier A.6, C.4", "how long a pool failover takes";
    FailbackDuration = Inferred, "dossier C.4", "failback takes 60 minutes per 20,000 users, linear, at least three minutes";
}

/// The set of behaviours that a run leaned on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct BehaviourSet([u64; 4]);

impl BehaviourSet {
    /// Adds a behaviour.
    pub fn insert(&mut self, behaviour: Behaviour) {
        let index = behaviour as usize;
        self.0[index / 64] |= 1 << (index % 64);
    }

    /// Adds all behaviours of another set.
    pub fn extend(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine |= theirs;
        }
    }

    /// The behaviours in order of declaration.
    pub fn iter(&self) -> impl Iterator<Item = Behaviour> + '_ {
        Behaviour::ALL.iter().copied().filter(|b| self.0[*b as usize / 64] & (1 << (*b as usize % 64)) != 0)
    }

    /// The weakest evidence class in the set; `Documented` when it is empty.
    pub fn weakest(&self) -> Evidence {
        self.iter().map(Behaviour::evidence).max().unwrap_or(Evidence::Documented)
    }
}
