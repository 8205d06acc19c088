-- What each feature was like on a day, of a sample of those who were active on the day before: served now, and as a frame tells the same moment.
create table features.statistics (
    feature    text               not null,
    day        date               not null,
    entities   bigint             not null,
    null_rate  double precision   not null,
    mean       double precision   null,
    deviation  double precision   null,
    deciles    double precision[] not null,
    shares     double precision[] not null,
    drift      double precision   null,
    skewed     bigint             not null,
    age_seconds double precision  not null,
    primary key (feature, day)
);
