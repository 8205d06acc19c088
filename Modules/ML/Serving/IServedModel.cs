namespace OKLA.ML.Serving;

/// <summary>A version of a model in memory: immutable, asked by many requests at once.</summary>
internal interface IServedModel
{
    /// <summary>What it must be told and what it answers.</summary>
    public ModelSignature Signature { get; }

    /// <summary>Answers rows, in their order.</summary>
    /// <param name="rows">One text a row for every input of <see cref="Signature"/>, in its order; null where a value is missing. Numbers are invariant.</param>
    /// <param name="threads">Threads it may use.</param>
    public Prediction[] Predict(IReadOnlyList<string?[]> rows, int threads = 1);

    /// <summary>Why it answers rows as it does; null when it cannot tell.</summary>
    /// <param name="rows">As for <see cref="Predict"/>.</param>
    /// <param name="ct">Stops it.</param>
    public Explanation[]? Explain(IReadOnlyList<string?[]> rows, CancellationToken ct = default);
}

/// <summary>What a model must be told and what it answers; kept with each version.</summary>
/// <param name="Task">regression, binary or multiclass.</param>
/// <param name="Inputs">Its inputs, in the order of a row.</param>
/// <param name="Classes">Names of the classes, the positive one last where there are two; empty for a regression.</param>
/// <param name="Unit">Unit of a regression's answer, such as USD; null where there is none.</param>
/// <param name="Entity">What the inputs describe and can be looked up by in the feature store (person, item …); null when the asker must bring them.</param>
/// <param name="Threshold">Probability from which a row of two classes is called positive, chosen for a wanted precision on rows held out in training; null for one half.</param>
internal sealed record ModelSignature(string Task, IReadOnlyList<ModelInput> Inputs, IReadOnlyList<string> Classes, string? Unit = null, string? Entity = null, double? Threshold = null);

/// <summary>An input of a model.</summary>
/// <param name="Name">Its name in a request.</param>
/// <param name="Type">number, category, text, date or boolean.</param>
/// <param name="Required">Whether a row without it is refused; otherwise it may be missing.</param>
/// <param name="Min">Smallest number learned from; null where that says nothing.</param>
/// <param name="Max">Largest number learned from.</param>
/// <param name="Categories">The values learned from, most frequent first, where they are few.</param>
/// <param name="Example">A value as it could be sent.</param>
internal sealed record ModelInput(
    string Name, string Type, bool Required = false, double? Min = null, double? Max = null, IReadOnlyList<string>? Categories = null, string? Example = null);

/// <summary>An answer to a row.</summary>
/// <param name="Value">The number of a regression; the calibrated probability of the positive class where there are two; of <paramref name="Label"/> where there are more.</param>
/// <param name="Low">Lower end of the interval; null where the model has none.</param>
/// <param name="High">Upper end.</param>
/// <param name="Label">The class chosen; null for a regression.</param>
/// <param name="Probabilities">Probability of every class of the signature, in its order; null for a regression.</param>
internal sealed record Prediction(double Value, double? Low = null, double? High = null, string? Label = null, IReadOnlyList<double>? Probabilities = null);

/// <summary>Why a row is answered as it is: <paramref name="Base"/> and the contributions add up to <paramref name="Output"/>.</summary>
/// <param name="Scale">What is added: the answer itself, or log odds, or a logarithm.</param>
/// <param name="Base">The answer to an average row, on that scale.</param>
/// <param name="Output">The answer to this row, on that scale.</param>
/// <param name="Contributions">What each input adds, in the signature's order.</param>
internal sealed record Explanation(string Scale, double Base, double Output, IReadOnlyList<double> Contributions);
