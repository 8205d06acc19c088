using System.Globalization;
using OKLA.Benchmarks;
using OKLA.Benchmarks.Algorithms;
using OKLA.Benchmarks.EventLog;
using OKLA.Benchmarks.Features;
using OKLA.Benchmarks.Platform;
using OKLA.Benchmarks.Serving;

if (args is [Caller.Verb, var address, var bodies, var rest])
{
    await Caller.RunAsync(new Uri(address), bodies, TimeSpan.FromMilliseconds(double.Parse(rest, CultureInfo.InvariantCulture)));
    return 0;
}

if (args is ["algorithms", ..])
{
    AlgorithmsBenchmark.Run(args[1..]);
    return 0;
}

if (args is ["algorithms-scale", var algorithm, var rows])
{
    ScaleTable.Measure(algorithm, int.Parse(rows, CultureInfo.InvariantCulture));
    return 0;
}

if (args is ["platform", var tables, ..])
{
    await PlatformShow.RunAsync(tables, args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 20);
    return 0;
}

if (args is ["models", .. var what])
{
    var only = Array.IndexOf(what, "--only") is >= 0 and var place ? what[(place + 1)..] : null;
    what = only is null ? what : what[..^(only.Length + 1)];
    int[] sizes = [.. what.Where(text => int.TryParse(text, CultureInfo.InvariantCulture, out _)).Select(text => int.Parse(text, CultureInfo.InvariantCulture))];
    var folder = what.FirstOrDefault(text => text != "--refused-too" && !int.TryParse(text, CultureInfo.InvariantCulture, out _));
    await ModelsBenchmark.RunAsync(folder, sizes is [var visitors, ..] ? visitors : 2_000, sizes is [_, var listings] ? listings : 3_000, what.Contains("--refused-too"), only);
    return 0;
}

if (args is ["features-prepare", var marketplace, .. var numbers])
{
    int[] sizes = [.. numbers.Select(number => int.Parse(number, CultureInfo.InvariantCulture))];
    await FeaturesBenchmark.PrepareAsync(marketplace, sizes is [var people, ..] ? people : 2_000, sizes is [_, var days, ..] ? days : 60, sizes is [_, _, var offered] ? offered : 3_000);
    return 0;
}

var size = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : (int?)null;
switch (args.FirstOrDefault())
{
    case "append" or "append-projecting":
        await AppendBenchmark.RunAsync(size ?? 200_000, projecting: args[0] == "append-projecting");
        return 0;
    case "append-growth":
        await GrowthBenchmark.RunAsync(size ?? 10_000_000);
        return 0;
    case "archive":
        await ArchiveBenchmark.RunAsync(size ?? 200_000);
        return 0;
    case "lag":
        await LagBenchmark.RunAsync(size ?? 10_000);
        return 0;
    case "recommend":
        await RecommendationBenchmark.RunAsync(size ?? 20_000);
        return 0;
    case "predict":
        await PredictBenchmark.RunAsync(size ?? 3_000);
        return 0;
    case "features-heavy":
        await HeavyBenchmark.RunAsync(size ?? 100_000);
        return 0;
    case "features-catch-up":
        await CatchUpBenchmark.RunAsync(size ?? 5_000, args.Length > 2 ? args[2] : null);
        return 0;
    case "feature-cost":
        await FeatureCostBenchmark.RunAsync(size ?? 5_000, args.Length > 2 ? args[2] : null);
        return 0;
    case "features":
        await FeaturesBenchmark.RunAsync(size ?? 2_000, args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 100_000, args.Length > 3 ? args[3] : null);
        return 0;
    default:
        Console.WriteLine("Usage: dotnet run -c Release --project tests/OKLA.Benchmarks -- append|append-projecting|append-growth|archive|lag [events] | recommend [items] | predict [requests] | models [FOLDER | visitors [listings]] [--refused-too] [--only PART-OF-A-NAME …] | features-prepare FOLDER [visitors [days [listings]]] | features [visitors [frame rows [FOLDER]]] | features-heavy [events] | features-catch-up|feature-cost [visitors [FOLDER]] | platform FOLDER [seconds] | algorithms [trees|arithmetic|search|scale] [--quick] [--data FOLDER]");
        return 2;
}
