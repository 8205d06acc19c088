using System.Globalization;
using Microsoft.Extensions.Options;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Models.Frames;
using OKLA.ML.Models.Language;
using OKLA.ML.Training;
using OKLA.ML.Training.Gates;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Models;

/// <summary>
/// Whether what somebody wrote is praise or blame.
/// Entity: a comment. Label: the stars given with it, four and five for praise, one and two for blame; three say neither and are left out.
/// Features: the text. Trainer: the platform's for texts (words, their neighbours and letters, weighed by TF-IDF). Gate: the platform's. Answer: rows, and
/// POST /api/texts/sentiment with what is said of each thing (<see cref="AspectReader"/>); both are measured on reviews written by hand as well.
/// </summary>
internal sealed class SentimentAnalyzer(FrameSource source, IOptions<MLOptions> options, TimeProvider clock) : LogModel(options.Value, clock)
{
    /// <summary>Labels.</summary>
    public const string Praise = "positive", Blame = "negative";

    public override string Name => ModelNames.SentimentAnalyzer;

    public override string Summary => "Whether what somebody wrote is praise or blame.";

    /// <summary>On the newest reviews that the log holds, and on those written by hand.</summary>
    public override IReadOnlyList<ModelTarget> Targets { get; } = [new("accuracy", 0.88), new("accuracy, by hand", 0.88)];

    // One column says nearly all there is to say: the text.
    protected override TableDefinition Learning { get; } = new() { Task = "binary", Positive = Praise, Profile = "accurate", Gates = new GateSettings { SingleColumn = 1 } };

    public override ModelTraining NewTraining() => new SentimentTraining(base.NewTraining());

    public override async Task<LogTable> ReadAsync(CancellationToken ct)
    {
        List<string?> texts = [], labels = [], times = [], people = [];
        foreach (var one in await source.EventsAsync([EventTypes.Rated], ct))
        {
            var body = one.Read<BehaviourEvent>();
            if (body.Properties is { } said && said.TryGetProperty("comment", out var comment) && comment.GetString() is { Length: > 0 } text
                && said.TryGetProperty("rating", out var rating) && rating.TryGetInt32(out var stars) && stars != 3)
            {
                texts.Add(text);
                labels.Add(stars > 3 ? Praise : Blame);
                times.Add(one.OccurredAt.UtcDateTime.ToString("O", CultureInfo.InvariantCulture));
                people.Add(body.PersonId);
            }
        }

        return new LogTable(new TableData(
            [new RawColumn("text", [.. texts]), new RawColumn(FrameSource.Label, [.. labels]), new RawColumn(FrameSource.At, [.. times]), new RawColumn(FrameSource.Key, [.. people])],
            $"log:{Name}", 0, "", source.Now));
    }
}
