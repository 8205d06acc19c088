using System.Globalization;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Training;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;

namespace OKLA.ML.Models.Frames;

/// <summary>What a model of this house learns from: moments out of the log, and the features as they were at those moments.</summary>
internal sealed class FrameSource(IMessageBus bus, EventLog log, TimeProvider clock, TrainingWorld? world = null)
{
    /// <summary>Columns that every table has beside the features.</summary>
    public const string Label = "label", At = "at", Key = "key", Surrogate = "surrogate";

    private FrameSource? unkept;

    public DateTimeOffset Now => clock.GetUtcNow();

    public IMessageBus Bus => bus;

    /// <summary>The same within a world that can be brought back: events and answers of the bus come through it.</summary>
    public FrameSource In(TrainingWorld through) => new(through, log, through.Clock, through) { unkept = this };

    /// <summary>Reads something much smaller than what it is made of: within a world, it alone is kept.</summary>
    /// <param name="question">What tells it from other readings.</param>
    /// <param name="ask">Reads it from a source that keeps nothing, as it is known at <see cref="Now"/>.</param>
    /// <param name="ct">Stops it.</param>
    public Task<T> ReadAsync<T>(string question, Func<FrameSource, Task<T>> ask, CancellationToken ct) => world is null ? ask(this) : world.ReadAsync(question, () => ask(unkept!), ct);

    /// <summary>All events of some types that are known by now, oldest first by event time; of types of which there are few.</summary>
    public Task<List<RecordedEvent>> EventsAsync(IReadOnlyCollection<string> types, CancellationToken ct) =>
        world is null ? LoggedAsync(types, ct) : world.ReadAsync($"events {string.Join(' ', types)}", () => LoggedAsync(types, ct), ct);

    /// <summary>The same of types of which there are many: of each event no more stays in memory than what is kept of it.</summary>
    /// <param name="types">Types of events.</param>
    /// <param name="keep">What is kept of an event, asked in the order of the log; null of one that does not matter.</param>
    /// <param name="ct">Stops the reading.</param>
    /// <returns>What was kept, oldest first by event time.</returns>
    public async Task<IEnumerable<T>> EventsAsync<T>(IReadOnlyCollection<string> types, Func<RecordedEvent, T?> keep, CancellationToken ct)
        where T : struct
    {
        if (world is not null)
        {
            // What is read through a world is written down whole, whatever of it is kept here.
            return (await EventsAsync(types, ct)).Select(keep).Where(kept => kept.HasValue).Select(kept => kept!.Value);
        }

        var all = new List<(long At, long Position, T Kept)>();
        await foreach (var one in log.ReadAsync(0, types, ct: ct))
        {
            if (keep(one) is { } kept)
            {
                all.Add((one.OccurredAt.UtcTicks, one.Position, kept));
            }
        }

        all.Sort(static (a, b) => a.At.CompareTo(b.At) is not 0 and var order ? order : a.Position.CompareTo(b.Position));
        return all.Select(one => one.Kept);
    }

    private async Task<List<RecordedEvent>> LoggedAsync(IReadOnlyCollection<string> types, CancellationToken ct)
    {
        var events = new List<RecordedEvent>();
        var now = world is null ? DateTimeOffset.MaxValue : Now;
        await foreach (var one in log.ReadAsync(0, types, ct: ct))
        {
            if (one.KnownAt <= now)
            {
                events.Add(one);
            }
        }

        events.Sort(static (a, b) => a.OccurredAt.CompareTo(b.OccurredAt) is not 0 and var order ? order : a.Position.CompareTo(b.Position));
        return events;
    }

    /// <summary>Event time of the first event of a type in the log; null when there is none.</summary>
    public Task<DateTimeOffset?> FirstAsync(string type, CancellationToken ct) =>
        world is null ? FirstLoggedAsync(type, ct) : world.ReadAsync($"first {type}", () => FirstLoggedAsync(type, ct), ct);

    private async Task<DateTimeOffset?> FirstLoggedAsync(string type, CancellationToken ct)
    {
        await foreach (var one in log.ReadAsync(0, [type], ct: ct))
        {
            return one.OccurredAt;
        }

        return null;
    }

    /// <summary>Who a visitor turned out to be, as far as is known now or at another time; whoever is not linked is herself.</summary>
    public async Task<Func<string, string>> OwnersAsync(CancellationToken ct, DateTimeOffset? at = null)
    {
        var owners = new Dictionary<string, string>(StringComparer.Ordinal);
        await foreach (var one in log.ReadAsync(0, [EventTypes.PersonLinked, EventTypes.PersonSplit], ct: ct))
        {
            if (one.KnownAt > at)
            {
                continue;
            }

            if (one.Type == EventTypes.PersonLinked)
            {
                var link = one.Read<PersonLinked>();
                owners[link.AnonymousId] = link.UserId;
            }
            else
            {
                owners.Remove(one.Read<PersonSplit>().AnonymousId);
            }
        }

        return id => owners.GetValueOrDefault(id, id);
    }

    /// <summary>Names of the features of an entity that a model can read.</summary>
    public Task<IReadOnlyList<string>> FeaturesAsync(string entity, CancellationToken ct) => bus.InvokeAsync<IReadOnlyList<string>>(new ListModelFeatures(entity), ct);

    /// <summary>The moments as a table: one column a feature, then label, time and key of each moment.</summary>
    public async Task<TableData> TableAsync(string model, IReadOnlyList<Moment> moments, IReadOnlyList<string> features, CancellationToken ct)
    {
        var columns = features.Select(_ => new string?[moments.Count]).ToArray();
        var frame = "";
        if (moments.Count > 0)
        {
            // One frame, as of one place in the log; its rows are taken as they come, as boxed values they would fill memory.
            var spine = moments.Select(moment => moment.Row).ToArray();
            frame = (await bus.InvokeAsync<FrameTable>(new BuildFrameTable(new BuildFrame(spine, features, model), Take), ct)).Info.Sha256 ?? frame;
        }

        return new TableData(
            [
                .. features.Select((name, c) => new RawColumn(name, columns[c])),
                new RawColumn(Label, [.. moments.Select(moment => moment.Label)]),
                .. moments.Any(moment => moment.Surrogate is not null) ? [new RawColumn(Surrogate, [.. moments.Select(moment => moment.Surrogate)])] : Array.Empty<RawColumn>(),
                new RawColumn(At, [.. moments.Select(moment => moment.Row.At.UtcDateTime.ToString("O", CultureInfo.InvariantCulture))]),
                new RawColumn(Key, [.. moments.Select(moment => moment.Row.ItemId is { } item ? $"{moment.Row.UserId}|{item}" : moment.Row.UserId)]),
            ],
            $"log:{model}", 0, frame, clock.GetUtcNow());

        void Take(FrameLine line)
        {
            for (var c = 0; c < columns.Length; c++)
            {
                columns[c][line.Row] = Text(line.Values[c]);
            }
        }
    }

    /// <summary>A feature's value as a model reads it; null when nothing is known.</summary>
    public static string? Text(object? value) => value switch
    {
        null => null,
        double number => NumberText.Text(number),
        string text => text,
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        _ => null,
    };
}
