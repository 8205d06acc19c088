using Dapper;
using Microsoft.Extensions.Options;
using Npgsql;
using OKLA.ML.Algorithms.Drift;
using OKLA.ML.Models;
using OKLA.Shared.Contracts;
using OKLA.Shared.Jobs;
using OKLA.Shared.Messaging;

namespace OKLA.ML.Serving.Clusters;

/// <summary>Command: finds everybody's learned kind and counts the kinds; does nothing while no version serves.</summary>
internal sealed record CountClusters(IProgress<WorkProgress>? Progress = null) : ICommand;

/// <summary>
/// Handles <see cref="CountClusters"/>, some thousands of people at a time. A repeat on the same day counts anew. At the first count of a version each of its kinds is
/// said to follow the one that most of its people came from.
/// </summary>
internal static class CountClustersHandler
{
    /// <summary>As far back as tastes reach.</summary>
    private const int Days = 90;

    private const int AtOnce = 5_000;

    public static async Task Handle(CountClusters command, ServedModels served, IMessageBus bus, NpgsqlDataSource database, TimeProvider clock, CancellationToken ct)
    {
        if (await served.BestAsync(ModelNames.UserSegmenter) is not { Answers: UserSegmenter.Served { Model: var model } } by)
        {
            return;
        }

        var now = clock.GetUtcNow();
        var moves = new Dictionary<(int? Version, int? Was, int Is), long>();
        await using var connection = await database.OpenConnectionAsync(ct);
        var (last, counted) = ("", 0L);
        while (await bus.InvokeAsync<IReadOnlyList<string>>(new ListPeople(now.AddDays(-Days), last, AtOnce), ct) is { Count: > 0 } people)
        {
            var tastes = await FindClustersHandler.TastesAsync(people, bus, now, ct);
            foreach (var (version, was, cluster, count) in await KeepAsync(connection, model, by.Version, people, tastes, now, ct))
            {
                moves[(version, was, cluster)] = moves.GetValueOrDefault((version, was, cluster)) + count;
            }

            (last, counted) = (people[^1], counted + people.Count);
            command.Progress?.Report(new WorkProgress(0.5, $"{counted:N0} people"));
        }

        await SumUpAsync(connection, model, by.Version, moves, now, ct);
    }

    /// <summary>Keeps the kinds of some people; answers how many went from where to where.</summary>
    private static Task<IEnumerable<(int? Version, int? Was, int Is, long Count)>> KeepAsync(
        NpgsqlConnection connection, UserClusters model, int version, IReadOnlyList<string> people, double[]?[] tastes, DateTimeOffset now, CancellationToken ct)
    {
        var known = people.Zip(tastes).Where(pair => pair.Second is not null).Select(pair => (Person: pair.First, Place: model.PlaceOf(pair.Second!), Fits: model.Fits(pair.Second!))).ToArray();
        return connection.QueryAsync<(int?, int?, int, long)>(new CommandDefinition("""
            with now as (
                select person_id, cluster, fit, @places[(n - 1) * @width + 1 : n * @width] as place from unnest(@people, @clusters, @fits) with ordinality as n (person_id, cluster, fit, n)
            ), moved as (
                select m.model_version, m.cluster as was, n.cluster from now n left join ml.cluster_members m using (person_id)
            ), kept as (
                insert into ml.cluster_members (person_id, model_version, cluster, fit, place, counted_at) select person_id, @version, cluster, fit, place, @at from now
                on conflict (person_id) do update set model_version = excluded.model_version, cluster = excluded.cluster, fit = excluded.fit, place = excluded.place, counted_at = excluded.counted_at
            )
            select model_version, was, cluster, count(*) from moved group by 1, 2, 3
            """, new
        {
            people = Array.ConvertAll(known, one => one.Person),
            clusters = Array.ConvertAll(known, one => Array.IndexOf(one.Fits, one.Fits.Max())),
            fits = Array.ConvertAll(known, one => Math.Round(one.Fits.Max(), 4)),
            places = known.SelectMany(one => one.Place).ToArray(),
            width = known.Length == 0 ? 0 : known[0].Place.Length, version, at = now.UtcDateTime,
        }, cancellationToken: ct));
    }

    private static async Task SumUpAsync(
        NpgsqlConnection connection, UserClusters model, int version, Dictionary<(int? Version, int? Was, int Is), long> moves, DateTimeOffset now, CancellationToken ct)
    {
        var day = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(now, JobSchedule.SantoDomingo).DateTime);
        // Only who was counted by the version that counted most before tells where a kind came from.
        var before = moves.Where(move => move.Key.Version is not null).GroupBy(move => move.Key.Version).MaxBy(group => group.Sum(move => move.Value))?.Key;
        var stayed = moves.Where(move => move.Key.Version is not null && move.Key.Version == before).Select(move => (One: move.Key.Was!.Value, Other: move.Key.Is, People: move.Value)).ToArray();
        var isNew = before is not null && before != version;
        int?[] from = [.. model.Clusters.Select(cluster => isNew
            ? stayed.Where(move => move.Other == cluster.Number).OrderByDescending(move => move.People).ThenBy(move => move.One).Select(move => (int?)move.One).FirstOrDefault()
            : cluster.Number)];
        long[] joined = [.. model.Clusters.Select(cluster =>
            moves.Where(move => move.Key.Is == cluster.Number && !(move.Key.Version == before && move.Key.Was == from[cluster.Number])).Sum(move => move.Value))];

        await using var transaction = await connection.BeginTransactionAsync(ct);
        // Who was not counted now has been away for long, or looked at too little. Somebody may have been erased after she was read: she is looked for
        // among the erasures of a day, as the features may hear of one later than this room.
        await connection.ExecuteAsync(new CommandDefinition("""
            delete from ml.cluster_members where counted_at < @at;
            delete from ml.cluster_members m using ml.erasures e where e.asked_at > @dayBefore and encode(sha256(convert_to(e.salt || m.person_id, 'UTF8')), 'hex') = any(e.hashes);
            delete from ml.cluster_sizes where day = @day and model_version <> @version;
            delete from ml.cluster_counts where day = @day and model_version <> @version
            """, new { at = now.UtcDateTime, dayBefore = now.UtcDateTime.AddDays(-1), day, version }, transaction, cancellationToken: ct));
        var sizes = (await connection.QueryAsync<(int Cluster, long Members)>(new CommandDefinition(
            "select cluster, count(*) from ml.cluster_members group by cluster", transaction: transaction, cancellationToken: ct))).ToDictionary(row => row.Cluster, row => row.Members);
        var then = (await connection.QueryAsync<(int Cluster, long Members)>(new CommandDefinition("""
            select cluster, members from ml.cluster_sizes where model_version = @version and day = (
                select max(day) from ml.cluster_counts where model_version = @version and day < @day)
            """, new { version, day }, transaction, cancellationToken: ct))).ToDictionary(row => row.Cluster, row => row.Members);
        long[] members = [.. model.Clusters.Select(cluster => sizes.GetValueOrDefault(cluster.Number))];
        await connection.ExecuteAsync(new CommandDefinition("""
            insert into ml.cluster_sizes as s (day, model_version, cluster, name, members, joined, follows)
            select @day, @version, * from unnest(@numbers, @names, @members, @joined, @follows)
            on conflict (day, cluster) do update set name = excluded.name, members = excluded.members, joined = excluded.joined, follows = coalesce(excluded.follows, s.follows);
            insert into ml.cluster_counts as c (day, model_version, people, from_training, from_before, agreement, counted_at)
            values (@day, @version, @people, @fromTraining, @fromBefore, @agreement, @at)
            on conflict (day) do update set people = excluded.people, from_training = excluded.from_training, from_before = excluded.from_before,
                agreement = coalesce(excluded.agreement, c.agreement), counted_at = excluded.counted_at
            """, new
        {
            day, version, members, joined, people = members.Sum(), at = now.UtcDateTime,
            numbers = model.Clusters.Select(cluster => cluster.Number).ToArray(), names = model.Clusters.Select(cluster => cluster.Name).ToArray(),
            follows = isNew ? from : new int?[from.Length],
            // Shares of the people learned from are known to four digits; on a scale of ten thousand they are counts.
            fromTraining = Psi([.. model.Clusters.Select(cluster => (long)Math.Round(cluster.Share * 10_000))], members) ?? 0,
            fromBefore = then.Count == 0 ? null : Psi([.. model.Clusters.Select(cluster => then.GetValueOrDefault(cluster.Number))], members),
            agreement = isNew ? (double?)UserClusters.AgreementOf(stayed) : null,
        }, transaction, cancellationToken: ct));
        await transaction.CommitAsync(ct);
    }

    /// <summary>Null where one of the two counts is of nobody.</summary>
    private static double? Psi(long[] then, long[] now) => then.Sum() == 0 || now.Sum() == 0 ? null : Math.Round(DistributionDrift.Psi(then, now), 6);
}

/// <summary>Has everybody counted as soon as a version of the kinds serves that nobody was counted by yet, and not in the following night only.</summary>
internal static class CountNewClustersHandler
{
    public static async Task Handle(VersionServes told, JobRuns jobs, IOptions<JobsOptions> options, NpgsqlDataSource database, CancellationToken ct)
    {
        // Several hosts hear of the same version.
        var reason = $"version {told.Version}";
        if (told.Model != ModelNames.UserSegmenter || !options.Value.Scheduled || (await jobs.HistoryAsync(ClusterSetup.Count, ct: ct)).Any(run => run.Reason == reason))
        {
            return;
        }

        await using var connection = await database.OpenConnectionAsync(ct);
        if (!await connection.ExecuteScalarAsync<bool>(new CommandDefinition("select exists (select from ml.cluster_counts where model_version = @Version)", new { told.Version }, cancellationToken: ct)))
        {
            await jobs.TriggerAsync(ClusterSetup.Count, reason, ct);
        }
    }
}
