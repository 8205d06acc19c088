using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using OKLA.ML.Monitoring;
using OKLA.ML.Rollout;
using OKLA.ML.Serving;
using OKLA.ML.Serving.Recommendations;
using OKLA.Shared.Web;

namespace OKLA.ML;

/// <summary>Section <c>ML</c>: how models are trained, accepted and served.</summary>
internal sealed class MLOptions
{
    /// <summary>Threads a training may use; 0 leaves one core to serving (and uses one where there is only one).</summary>
    [Range(0, 1024)]
    public int TrainingThreads { get; set; }

    /// <summary>Whether a serving host trains in a process of its own at idle priority, so that predictions do not wait for it; false saves the memory of a second process.</summary>
    public bool TrainingProcess { get; set; } = true;

    /// <summary>How often a training is begun that fails or whose host is lost.</summary>
    [Range(1, 20)]
    public int TrainingAttempts { get; set; } = 4;

    /// <summary>Seconds without a sign of life after which a training's host counts as lost and another one goes on with it.</summary>
    [Range(3, 3_600)]
    public double TrainingLeaseSeconds { get; set; } = 30;

    /// <summary>Share of the newest data that a training is measured on.</summary>
    [Range(0.05, 0.5)]
    public double HoldOutShare { get; set; } = 0.2;

    /// <summary>How much worse than the serving version a new one may measure and still be published, as a share: figures of different weeks differ by chance.</summary>
    [Range(0, 0.5)]
    public double Tolerance { get; set; } = 0.05;

    /// <summary>Seconds that a training of a model of leads, buyers or sellers may search.</summary>
    [Range(1, 36_000)]
    public double BudgetSeconds { get; set; } = 20;

    /// <summary>Seconds between looks at the catalogue and the registry.</summary>
    [Range(0.1, 60)]
    public double RefreshSeconds { get; set; } = 2;

    /// <summary>A person's items that a recommendation is folded in from, newest first.</summary>
    [Range(1, 1_000)]
    public int HistoryItems { get; set; } = 60;

    /// <summary>Items that a person has met so many times do not come back; 0 lets all come back.</summary>
    [Range(0, 1_000)]
    public int HideAfterViews { get; set; } = 1;

    /// <summary>Whether items whose seller the person contacted stay away.</summary>
    public bool HideContacted { get; set; } = true;

    /// <summary>Where artefacts and data sets are kept.</summary>
    [Required]
    public ArtefactPlace Artefacts { get; set; } = new();

    /// <summary>Bounds of data sets.</summary>
    [Required]
    public DatasetLimits Datasets { get; set; } = new();

    /// <summary>Knobs of the recommender.</summary>
    [Required]
    public RecommenderKnobs Recommender { get; set; } = new();

    /// <summary>What is done to a ranking before it is shown.</summary>
    [Required]
    public RecommendationKnobs Recommendations { get; set; } = new();

    /// <summary>Knobs of the price model.</summary>
    [Required]
    public PriceKnobs Price { get; set; } = new();

    /// <summary>Which leads are hot, warm and cold.</summary>
    [Required]
    public LeadKnobs Leads { get; set; } = new();

    /// <summary>How versions are held and asked.</summary>
    [Required]
    public ServingKnobs Serving { get; set; } = new();

    /// <summary>How new versions are let in and when they are taken back.</summary>
    [Required]
    public RolloutKnobs Rollout { get; set; } = new();

    /// <summary>What is watched and who hears of it.</summary>
    [Required]
    public MonitoringKnobs Monitoring { get; set; } = new();

    /// <summary>Threads that a training uses on this machine.</summary>
    internal int Threads => TrainingThreads > 0 ? TrainingThreads : Math.Max(1, Environment.ProcessorCount - 1);
}

/// <summary>Section <c>ML:Recommender</c>; saved with each version.</summary>
internal sealed class RecommenderKnobs
{
    /// <summary>Length of the taste vectors.</summary>
    [Range(2, 512)]
    public int Factors { get; set; } = 32;

    /// <summary>λ of the factorisation.</summary>
    [Range(1e-6, 1e6)]
    public double Regularization { get; set; } = 5;

    /// <summary>α: confidence that a unit of weight adds to an observed pair.</summary>
    [Range(1e-3, 1e4)]
    public double Alpha { get; set; } = 2;

    /// <summary>Passes over people and items.</summary>
    [Range(1, 1_000)]
    public int Iterations { get; set; } = 15;

    /// <summary>People whose interest an item needs before its own vector counts as much as that of its kin (make and model, make and body, body and price).</summary>
    [Range(0, 1e6)]
    public double PriorPeople { get; set; } = 500;

    /// <summary>Weights of the parts for scores of the same spread, from which learning the weights begins: als, machine, two-tower, content, trending.</summary>
    [JsonObjectCreationHandling(JsonObjectCreationHandling.Populate)]
    public IDictionary<string, double> StartWeights { get; } = new Dictionary<string, double> { ["als"] = 1, ["machine"] = 0.3, ["two-tower"] = 0.5, ["content"] = 0.1, ["trending"] = 0.1 };

    /// <summary>Newest share of what lies before the test that the parts' weights are learned from; 0 leaves ALS alone.</summary>
    [Range(0, 0.5)]
    public double StackShare { get; set; } = 0.2;

    /// <summary>Items that a person has not met, drawn for each one met.</summary>
    [Range(1, 100)]
    public int Negatives { get; set; } = 4;

    /// <summary>How they are drawn: random, popular (in proportion to people^¾) or hard (of eight the one most like what the person looks at).</summary>
    [OneOf("random", "popular", "hard")]
    public string NegativeSampling { get; set; } = "random";

    /// <summary>Pairs of person and item at most that machine and towers learn from; of more, people are drawn by the seed.</summary>
    [Range(1_000, 100_000_000)]
    public int MaxPairs { get; set; } = 400_000;

    /// <summary>Length of the factorisation machine's vectors.</summary>
    [Range(2, 256)]
    public int MachineFactors { get; set; } = 8;

    /// <summary>Passes of the factorisation machine.</summary>
    [Range(1, 1_000)]
    public int MachineIterations { get; set; } = 12;

    /// <summary>Length of the two towers' vectors.</summary>
    [Range(2, 512)]
    public int TowerDimension { get; set; } = 32;

    /// <summary>Units of the towers' hidden layer; 0 for none.</summary>
    [Range(0, 4_096)]
    public int TowerHidden { get; set; } = 64;

    /// <summary>Passes of the towers at most; fewer when held-out pairs stop improving.</summary>
    [Range(1, 1_000)]
    public int TowerIterations { get; set; } = 15;

    /// <summary>Length of the content vectors.</summary>
    [Range(2, 512)]
    public int ContentDimension { get; set; } = 32;

    /// <summary>How far the prices of similar vehicles may lie apart, as a share; others come after them.</summary>
    [Range(0.01, 10)]
    public double SimilarPriceBand { get; set; } = 0.35;

    /// <summary>Days whose events make a trend.</summary>
    [Range(1, 365)]
    public int TrendDays { get; set; } = 7;

    /// <summary>Days at the rate of all that a trend begins with.</summary>
    [Range(0, 365)]
    public double TrendPriorDays { get; set; } = 2;

    /// <summary>Whether what was followed from far down a list counts more, as such places are seldom looked at.</summary>
    public bool CorrectPosition { get; set; } = true;

    /// <summary>How many times more at most.</summary>
    [Range(1, 100)]
    public double MostInversePropensity { get; set; } = 4;

    /// <summary>Interactions below which there is nothing to learn.</summary>
    [Range(1, 1_000_000_000)]
    public int MinInteractions { get; set; } = 500;

    /// <summary>People with later interactions below which nothing can be measured.</summary>
    [Range(1, 1_000_000)]
    public int MinTestPeople { get; set; } = 20;

    /// <summary>People measured at most, drawn by the seed.</summary>
    [Range(1, 1_000_000)]
    public int MaxTestPeople { get; set; } = 1_000;

    /// <summary>Seed of everything random.</summary>
    public int Seed { get; set; } = 42;
}

/// <summary>Section <c>ML:Price</c>; saved with each version.</summary>
internal sealed class PriceKnobs
{
    /// <summary>Trees at most; fewer when the validation part stops improving.</summary>
    [Range(1, 100_000)]
    public int Trees { get; set; } = 300;

    /// <summary>Step of each tree.</summary>
    [Range(1e-4, 1)]
    public double LearningRate { get; set; } = 0.05;

    /// <summary>Leaves of a tree at most.</summary>
    [Range(2, 4_096)]
    public int Leaves { get; set; } = 15;

    /// <summary>Share of ads that the interval should hold.</summary>
    [Range(0.5, 0.99)]
    public double Coverage { get; set; } = 0.8;

    /// <summary>Share of the training ads that calibrate the interval.</summary>
    [Range(0.05, 0.5)]
    public double CalibrationShare { get; set; } = 0.2;

    /// <summary>Ads below which there is nothing to learn.</summary>
    [Range(10, 1_000_000_000)]
    public int MinAds { get; set; } = 200;

    /// <summary>Seed of everything random.</summary>
    public int Seed { get; set; } = 42;
}

/// <summary>Section <c>ML:Leads</c>: probabilities of a deal from which a lead is hot or warm. About one contact in six comes to a deal.</summary>
internal sealed class LeadKnobs
{
    /// <summary>From here on a lead is hot.</summary>
    [Range(0, 1)]
    public double Hot { get; set; } = 0.25;

    /// <summary>From here on it is warm; below it is cold. At most <see cref="Hot"/>.</summary>
    [Range(0, 1)]
    public double Warm { get; set; } = 0.15;
}

/// <summary>Section <c>ML:Artefacts</c>.</summary>
internal sealed class ArtefactPlace
{
    /// <summary>Folder for the bytes of artefacts and data sets, which all nodes must see; in PostgreSQL without one.</summary>
    public string? Folder { get; set; }

    /// <summary>Largest file of an exported model that is taken in, and largest artefact in it, in bytes.</summary>
    [Range(1_000, 2_000_000_000)]
    public long MaxImportBytes { get; set; } = 500_000_000;

    /// <summary>Days that the rows and the losses of cases that a run was measured on are kept; longer of versions that serve, would come back or are tried, and of the newest. 1 to 36,500.</summary>
    [Range(1, 36_500)]
    public int KeepRunDays { get; set; } = 180;

    /// <summary>Newest versions of a model whose runs keep them however old they are. 0 to 10,000.</summary>
    [Range(0, 10_000)]
    public int KeepRunVersions { get; set; } = 10;
}

/// <summary>Section <c>ML:Datasets</c>: how large a table from outside may be.</summary>
internal sealed class DatasetLimits
{
    /// <summary>Largest table, in bytes, unpacked.</summary>
    [Range(1_000, 1_000_000_000_000)]
    public long MaxBytes { get; set; } = 10_000_000_000;

    /// <summary>Largest number of columns.</summary>
    [Range(1, 100_000)]
    public int MaxColumns { get; set; } = 10_000;

    /// <summary>How many times its packed size an upload may unpack to, once it is past 64 MiB.</summary>
    [Range(2, 1_100)]
    public int MaxExpansion { get; set; } = 200;

    /// <summary>Tables that are taken in or looked through at the same time on one host; further ones wait.</summary>
    [Range(1, 64)]
    public int Concurrent { get; set; } = 2;

    /// <summary>Largest table that is read into memory to train on, in cells.</summary>
    [Range(1_000, 10_000_000_000)]
    public long MaxTrainingCells { get; set; } = 100_000_000;
}
