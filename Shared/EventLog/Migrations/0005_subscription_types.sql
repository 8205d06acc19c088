-- The types a subscription asks for, and where it stood when it first asked: events of a type up to there have passed it unseen.
create table events.subscription_types (
    subscription varchar not null,
    type         varchar not null,
    since        bigint  not null,
    primary key (subscription, type)
);
