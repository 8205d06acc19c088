using System.Diagnostics;
using System.Globalization;
using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Algorithms.Factorization;
using OKLA.Shared.Files;

namespace OKLA.Host.Cli.Evaluate;

/// <summary><c>evaluate recommender</c>: recommenders on a file of events, by a protocol that others publish figures by.</summary>
internal static class EvaluateRecommender
{
    private const int MostUsersMeasured = 30_000, MostUsersCompared = 2_000;

    private static readonly string[] Protocols = ["user-75-25", "item-75-25", "time-80-20"];

    public static Verb Verb { get; } = Verb.OnFiles(
        "evaluate recommender",
        [
            new("--data", "FILE", "events, one a row; tab or comma, with a header or without"), new("--user", "N", "column of the user, from 0"),
            new("--item", "N", "column of the item"), new("--time", "N", "column of the time: a number or a date"), new("--rating", "N", "column of the rating; every pair counts as taken, whatever it is"),
            new("--protocol", "NAME", "user-75-25, item-75-25 or time-80-20"), new("--k", "N", "length of the lists (default 10)"), new("--seed", "N", "of the split and the models (default 42)"),
            new("--budget", "SECONDS", "for choosing settings within the training part (default 60)"), AlgorithmResults.Json,
        ],
        "measures recommenders on a file of events",
        Run) with { Check = invocation => Read(invocation) };

    private sealed record Wanted(string Data, int User, int Item, int? Time, int? Rating, InteractionProtocol Protocol, int K, int Seed, int Budget);

    private static Wanted Read(Invocation invocation)
    {
        var name = invocation.Required("--protocol");
        var protocol = Array.IndexOf(Protocols, name);
        if (protocol < 0)
        {
            throw new UsageException($"There is no protocol '{name}'. There is: {string.Join(", ", Protocols)}.");
        }

        invocation.Required("--user");
        invocation.Required("--item");
        var wanted = new Wanted(
            invocation.Required("--data"), Column("--user") ?? 0, Column("--item") ?? 0, Column("--time"), Column("--rating"), (InteractionProtocol)protocol,
            invocation.Number("--k", 10, 1, 1000), invocation.Number("--seed", 42, 0, int.MaxValue), invocation.Number("--budget", 60, 1, 86_400));
        return wanted.Protocol == InteractionProtocol.ByTime && wanted.Time is null ? throw new UsageException("time-80-20 needs --time.") : wanted;

        int? Column(string option) => invocation.Text(option) is null ? null : invocation.Number(option, 0, 0, 10_000);
    }

    private static int Run(Invocation invocation, Terminal terminal)
    {
        var wanted = Read(invocation);
        var file = InteractionFile.Read(wanted.Data, wanted.User, wanted.Item, wanted.Time, wanted.Rating);
        var timed = wanted.Protocol == InteractionProtocol.ByTime;
        var whole = InteractionSplits.Hold(wanted.Protocol, file.Pairs, file.Times, timed ? 0.2 : 0.25, wanted.Seed);
        var users = whole.Test.Count(items => items.Count > 0);
        if (users == 0 || whole.Train.Count == 0)
        {
            throw new UnreadableFileException($"'{wanted.Data}' holds too few pairs of user and item: {wanted.Protocol} leaves nothing to {(users == 0 ? "measure" : "learn from")}.");
        }

        var split = RankingValidation.Sample(whole, MostUsersMeasured, wanted.Seed);
        var data = new Interactions(split.Train, split.TrainTimes);
        var results = Measure(terminal, wanted, split, data, timed, out var chosen);
        var known = Enumerable.Range(0, split.Train.Rows).Count(user => split.Test[user].Count > 0 && split.Train.RowCount(user) > 0);
        AlgorithmResults.Write(terminal, invocation, string.Create(
            CultureInfo.InvariantCulture,
            $"{invocation.Text("--protocol")}: {file.Events:N0} events, {file.Pairs.Count:N0} distinct pairs, {file.Pairs.Rows:N0} users, {file.Pairs.Columns:N0} items; {results[0].Rows:N0} of {users:N0} users with held-out items measured, {known:N0} of them with a history (the others get what is popular). ")
            + $"automatic is {chosen}, chosen by an inner split of the training part."
            + (file.Pairs.Columns > RecommenderFamily.MostEaseItems ? string.Create(CultureInfo.InvariantCulture, $" EASE knows the {RecommenderFamily.MostEaseItems:N0} most frequent items only.") : ""), results);
        return CommandLine.Success;
    }

    private static List<AlgorithmResult> Measure(Terminal terminal, Wanted wanted, InteractionSplit split, Interactions data, bool timed, out string automatic)
    {
        var clock = Stopwatch.StartNew();
        var search = new RecommenderSearch(data, wanted.Protocol, wanted.K, wanted.Seed);
        List<RecommenderFamily> families =
        [
            RecommenderFamily.Popularity(timed: false), RecommenderFamily.Cosine, RecommenderFamily.Sar, RecommenderFamily.PlainEase, RecommenderFamily.TunedItemKnn(timed),
            RecommenderFamily.TunedEase(timed), RecommenderFamily.Als, RecommenderFamily.Pairwise,
        ];
        if (timed)
        {
            families.Insert(1, search.Popular.Family with { Name = "popularity now" });
        }

        var (results, chosen, fitted) = (new List<AlgorithmResult>(), new List<ChosenRecommender>(), new List<UserScorer>());
        for (var i = 0; i < families.Count; i++)
        {
            // What one family leaves of its share goes to those after it.
            var left = wanted.Budget - clock.Elapsed.TotalSeconds;
            var best = search.Choose(families[i], TimeSpan.FromSeconds(Math.Max(0, left / (families.Count - i))));
            var started = clock.Elapsed;
            var scorer = search.Fit(best, data);
            chosen.Add(best);
            fitted.Add(scorer);
            var searched = families[i].Axes.Count > 0 ? best.Seconds : 0;
            results.Add(Result(wanted, split, families[i].Name, scorer, (clock.Elapsed - started).TotalSeconds + searched, clock));
            terminal.Error.WriteLine(FormattableString.Invariant($"{families[i].Name}: {best.Describe()} (inner NDCG {best.Ndcg:0.0000}, {best.Seconds:0.0} s)"));
        }

        var weights = search.Blend(chosen);
        var parts = Enumerable.Range(0, weights.Length).Where(i => weights[i] != 0).ToArray();
        automatic = string.Join(" + ", parts.Select(i => FormattableString.Invariant($"{weights[i]:0.##} {families[i].Name}")));
        results.Add(Result(wanted, split, "automatic", UserScorers.Blend([.. parts.Select(i => (fitted[i], weights[i]))]), results.Sum(result => result.TrainSeconds), clock));
        return results;
    }

    private static AlgorithmResult Result(Wanted wanted, InteractionSplit split, string name, UserScorer scorer, double seconds, Stopwatch clock)
    {
        var started = clock.Elapsed;
        var lists = RankingValidation.Lists(split, scorer, wanted.K);
        var predicting = clock.Elapsed - started;
        var report = RankingReport.Measure(split, user => lists[user], wanted.K, MostUsersCompared);
        var map = wanted.Protocol == InteractionProtocol.PerItem ? report.MapAllRelevant : report.Map;
        string At(string metric) => string.Create(CultureInfo.InvariantCulture, $"{metric}@{wanted.K}");
        return new AlgorithmResult(
            name,
            [
                new(At("NDCG"), report.Ndcg), new(At("MAP"), map), new(At("precision"), report.Precision), new(At("recall"), report.Recall), new(At("hitRate"), report.HitRate),
                new("MRR", report.Mrr), new("coverage", report.Coverage), new("novelty", report.Novelty), new("diversity", report.Diversity),
            ],
            seconds, predicting.TotalMicroseconds / report.Users, report.Users);
    }
}
