using Dapper;
using Npgsql;
using OKLA.Features.Interactions;
using OKLA.Features.Online;
using OKLA.Features.Registry;
using OKLA.Shared.Contracts;
using OKLA.Shared.Jobs;
using OKLA.Shared.Messaging;

namespace OKLA.Features.Profiles;

/// <summary>Command: puts everybody who was active within a year into segments and counts them.</summary>
internal sealed record CountSegments(IProgress<WorkProgress>? Progress = null) : ICommand;

/// <summary>Handles <see cref="CountSegments"/>, some thousands of people at a time; a visitor who turned out to be a user counts as that user, once. A repeat on the same day counts anew.</summary>
internal static class CountSegmentsHandler
{
    private const int AtOnce = 5_000;

    public static async Task Handle(CountSegments command, OnlineStore store, NpgsqlDataSource database, TimeProvider clock, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var day = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(now, JobSchedule.SantoDomingo).DateTime);
        var features = store.Registry.Of(Entity.User).ToList();
        var joined = new Dictionary<string, long>();
        await using var connection = await database.OpenConnectionAsync(ct);
        var (last, counted) = ("", 0L);
        while (true)
        {
            var people = await ListPeopleHandler.Handle(new ListPeople(now.AddYears(-1), last, AtOnce), database, clock, ct);
            if (people.Count == 0)
            {
                break;
            }

            var vectors = await store.GetAsync(Entity.User, people, ct);
            var segments = vectors.Select(vector => Segments.Of(new ProfileFeatures(features, vector.Values)).Name).ToArray();
            var moved = await connection.QueryAsync<string>(new CommandDefinition("""
                with now as (select * from unnest(@people, @segments) as n (person_id, segment)),
                moved as (select n.segment from now n left join features.person_segments s using (person_id) where s.segment is distinct from n.segment),
                kept as (
                    insert into features.person_segments (person_id, segment, since, counted_at) select person_id, segment, @at, @at from now
                    on conflict (person_id) do update set segment = excluded.segment, counted_at = excluded.counted_at,
                        since = case when person_segments.segment = excluded.segment then person_segments.since else excluded.since end
                )
                select segment from moved
                """, new { people = people.ToArray(), segments, at = now.UtcDateTime }, cancellationToken: ct));
            foreach (var segment in moved)
            {
                joined[segment] = joined.GetValueOrDefault(segment) + 1;
            }

            (last, counted) = (people[^1], counted + people.Count);
            command.Progress?.Report(new WorkProgress(0.5, $"{counted:N0} people"));
        }

        // Who was not counted now has been away for more than a year.
        await connection.ExecuteAsync(new CommandDefinition("""
            delete from features.person_segments where counted_at < @at;
            delete from features.segment_sizes where day = @day;
            insert into features.segment_sizes (day, segment, members, joined)
            select @day, n.segment, (select count(*) from features.person_segments s where s.segment = n.segment), n.joined from unnest(@names, @joins) as n (segment, joined)
            """, new
        {
            at = now.UtcDateTime, day, names = Segments.All.Select(segment => segment.Name).ToArray(), joins = Segments.All.Select(segment => joined.GetValueOrDefault(segment.Name)).ToArray(),
        }, cancellationToken: ct));
    }
}
