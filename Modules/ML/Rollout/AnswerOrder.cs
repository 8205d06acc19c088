namespace OKLA.ML.Rollout;

/// <summary>A version whose turn it is to answer.</summary>
/// <param name="Version">The version.</param>
/// <param name="Source">How an answer of it is named: rollout:{arm}, model or previous.</param>
/// <param name="ByArm">Whether its answer is the arm's: then it is counted as such, and whoever gets it has met the arm.</param>
internal readonly record struct AnswerTurn(int Version, string Source, bool ByArm);

/// <summary>
/// Which versions may answer somebody, first to last: the one that the arm of a rollout means, the serving one, the one before it; none is asked twice. What an arm has
/// instead of a version (a weighted mean, the baseline, what is popular) comes before all of them, and what answers without a version comes after.
/// </summary>
internal static class AnswerOrder
{
    /// <summary>The turns.</summary>
    /// <param name="serving">The serving version; null when none can answer.</param>
    /// <param name="previous">The one before it.</param>
    /// <param name="arm">The arm that is met; null without a rollout, and in the shadow.</param>
    public static IReadOnlyList<AnswerTurn> Of(int? serving, int? previous, Arm? arm)
    {
        var turns = new List<AnswerTurn>(3);
        if (arm is not null)
        {
            Add(arm.Version ?? (arm.Strategy == "model" ? serving : arm.Strategy == "previous" ? previous : null), SourceOf(arm), byArm: true);
        }

        Add(serving, "model", byArm: false);
        Add(previous, "previous", byArm: false);
        return turns;

        void Add(int? version, string source, bool byArm)
        {
            if (version is { } number && turns.TrueForAll(turn => turn.Version != number))
            {
                turns.Add(new AnswerTurn(number, source, byArm));
            }
        }
    }

    /// <summary>How an answer of an arm is named.</summary>
    public static string SourceOf(Arm arm) => $"rollout:{arm.Name}";
}
