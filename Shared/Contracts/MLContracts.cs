using System.Globalization;
using OKLA.Shared.Messaging;

namespace OKLA.Shared.Contracts;

/// <summary>Names of the models that this house trains.</summary>
public static class ModelNames
{
    /// <summary>Which vehicles a person will want to see: a blend of factorisation, towers, content and trend whose weights are learned.</summary>
    public const string VehicleRecommender = "vehicle-recommender";

    /// <summary>Which activities a person will want to go to: the same recommender with their own features, time and distance included.</summary>
    public const string ActivityRecommender = "activity-recommender";

    /// <summary>Which vehicles somebody who looks at one would look at instead.</summary>
    public const string SimilarVehicles = "similar-vehicles";

    /// <summary>Who should hear of a vehicle.</summary>
    public const string BuyerRecommender = "buyer-recommender";

    /// <summary>What a vehicle's asking price should be: gradient-boosted trees with an 80 % interval.</summary>
    public const string PricePredictor = "price-predictor";

    /// <summary>How many days an ad takes to sell: accelerated failure times.</summary>
    public const string DaysToSalePredictor = "days-to-sale-predictor";

    /// <summary>Whether a contact will end in a deal, with its reasons.</summary>
    public const string LeadScorer = "lead-scorer";

    /// <summary>Whether somebody who looks at a vehicle will contact its seller.</summary>
    public const string ConversionPredictor = "conversion-predictor";

    /// <summary>Whether an active buyer will stay away.</summary>
    public const string BuyerChurn = "buyer-churn";

    /// <summary>Whether a seller will stop listing.</summary>
    public const string DealerChurn = "dealer-churn";

    /// <summary>Whether a new listing is a swindle.</summary>
    public const string FraudDetector = "fraud-detector";

    /// <summary>Whether a contact comes from somebody who contacts sellers in bulk.</summary>
    public const string LeadFraudDetector = "lead-fraud-detector";

    /// <summary>Whether what somebody wrote is praise or blame.</summary>
    public const string SentimentAnalyzer = "sentiment-analyzer";

    /// <summary>What kind of vehicle a listing offers, by what its seller wrote.</summary>
    public const string VehicleClassifier = "vehicle-classifier";

    /// <summary>Which kind of buyer a person is, by what she looks at: k-means.</summary>
    public const string UserSegmenter = "user-segmenter";

    /// <summary>Whether a listing offers a new or a used vehicle, by what its seller wrote.</summary>
    public const string VehicleCondition = "vehicle-condition";

    /// <summary>Which third of its market a listing without a price belongs to, by what its seller wrote.</summary>
    public const string VehicleSegment = "vehicle-segment";

    /// <summary>What somebody who types a query wants, and which vehicle.</summary>
    public const string SearchIntentClassifier = "search-intent-classifier";

    /// <summary>What the text of a listing says, what it lacks and where it contradicts what is stated.</summary>
    public const string DescriptionAnalyzer = "description-analyzer";

    /// <summary>How often vehicles of each segment and province will be looked at.</summary>
    public const string DemandForecaster = "demand-forecaster";

    /// <summary>When demand or traffic is not as usual.</summary>
    public const string AnomalyDetector = "anomaly-detector";

    /// <summary>What an application will cost in the next hour of a campaign's channel.</summary>
    public const string CpaPredictor = "cpa-predictor";

    /// <summary>What each channel of campaigns brings for how much money.</summary>
    public const string ResponseCurves = "response-curves";

    /// <summary>When a campaign's channel is not as usual.</summary>
    public const string CampaignAnomalyDetector = "campaign-anomaly-detector";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        VehicleRecommender, ActivityRecommender, SimilarVehicles, BuyerRecommender, PricePredictor, DaysToSalePredictor, LeadScorer, ConversionPredictor, BuyerChurn, DealerChurn,
        SentimentAnalyzer, VehicleClassifier, VehicleCondition, VehicleSegment, FraudDetector, LeadFraudDetector,
        SearchIntentClassifier, DescriptionAnalyzer, DemandForecaster, AnomalyDetector, CpaPredictor, ResponseCurves, CampaignAnomalyDetector, UserSegmenter,
    ];
}

/// <summary>How far a long piece of work is.</summary>
/// <param name="Fraction">Done so far, 0 to 1.</param>
/// <param name="Step">What is being done, in a few words.</param>
public readonly record struct WorkProgress(double Fraction, string Step);

/// <summary>Command to ML: trains a model from what the log holds, evaluates it on the future and publishes it if it is not worse. Answers <see cref="TrainingOutcome"/>.</summary>
/// <param name="Model">One of <see cref="ModelNames"/>.</param>
/// <param name="Reason">Why now: weekly, demand, first.</param>
/// <param name="Progress">Hears how far it is.</param>
public sealed record TrainModel(string Model, string Reason, IProgress<WorkProgress>? Progress = null) : ICommand;

/// <summary>Command to ML: carries through what the queue of trainings holds, one after the other, until nothing is left. Answers <see cref="TrainedQueue"/>.</summary>
public sealed record TrainQueued : ICommand;

/// <summary>Answer to <see cref="TrainQueued"/>: how many jobs were taken.</summary>
public sealed record TrainedQueue(int Jobs);

/// <summary>What a training run came to.</summary>
/// <param name="Model">Its name.</param>
/// <param name="Version">The version that was trained; 0 when there was too little to learn from.</param>
/// <param name="Published">Whether it now serves.</param>
/// <param name="Decision">Why it was published or not, in one sentence.</param>
/// <param name="Metrics">Measured on the held-out future, each beside its baseline.</param>
/// <param name="Rows">Rows learned from.</param>
/// <param name="Seconds">Time taken.</param>
public sealed record TrainingOutcome(string Model, int Version, bool Published, string Decision, IReadOnlyList<MetricRow> Metrics, int Rows, double Seconds);

/// <summary>Query to ML: which version of a model serves.</summary>
/// <param name="Model">One of <see cref="ModelNames"/>.</param>
public sealed record GetServingVersion(string Model) : IQuery<ServingVersion>;

/// <summary>Answer to <see cref="GetServingVersion"/>; null when none serves yet.</summary>
public sealed record ServingVersion(int? Version);

/// <summary>Query to ML: measures a model on a time-ordered split of what the log holds, without publishing anything.</summary>
/// <param name="Model">One of <see cref="ModelNames"/>.</param>
/// <param name="Progress">Hears how far it is.</param>
public sealed record EvaluateModel(string Model, IProgress<WorkProgress>? Progress = null) : IQuery<EvaluationReport>;

/// <summary>A model's figures on data it has not seen.</summary>
/// <param name="Model">Its name.</param>
/// <param name="Split">How train and test were separated, in one sentence with the dates and sizes.</param>
/// <param name="Metrics">Each metric beside its baseline and, where it is known, the ceiling.</param>
public sealed record EvaluationReport(string Model, string Split, IReadOnlyList<MetricRow> Metrics)
{
    /// <summary>What the plan asks of it; empty where it asks nothing.</summary>
    public IReadOnlyList<ModelTarget> Targets { get; init; } = [];

    /// <summary>Rows learned from: what a row is, says <see cref="Split"/>.</summary>
    public int RowsLearned { get; init; }

    /// <summary>Rows measured on.</summary>
    public int RowsMeasured { get; init; }

    /// <summary>Seconds that reading, learning from the earlier part and measuring took.</summary>
    public double Seconds { get; init; }

    /// <summary>How long it takes to answer; null where it does not answer questions one by one.</summary>
    public AnswerTimes? Answers { get; init; }
}

/// <summary>What is asked of a model's metric.</summary>
/// <param name="Metric">The metric's name, or the beginning of it where the rest says what was measured on.</param>
/// <param name="Value">The least value, or the most where smaller is better.</param>
/// <param name="LargerIsBetter">Which of the two.</param>
/// <param name="Source">Where it comes from: the plan, or the house that set it because the plan has none.</param>
public sealed record ModelTarget(string Metric, double Value, bool LargerIsBetter = true, string Source = ModelTarget.Plan)
{
    /// <summary>Sources.</summary>
    public const string Plan = "plan", House = "house";

    /// <summary>The value as it is asked for, such as <c>≥ 0.85</c>, and who asks when it is not the plan.</summary>
    public string Wanted() => $"{(LargerIsBetter ? "≥" : "≤")} {Number(Value)}{(Source == Plan ? "" : $" ({Source})")}";

    /// <summary>Whether a value reaches it.</summary>
    public bool IsReachedBy(double value) => LargerIsBetter ? value >= Value : value <= Value;

    /// <summary>The metric that it is about; null when it was not measured.</summary>
    public MetricRow? Of(IEnumerable<MetricRow> metrics)
    {
        MetricRow[] all = [.. metrics];
        return all.FirstOrDefault(row => row.Name == Metric) ?? all.FirstOrDefault(row => row.Name.StartsWith(Metric, StringComparison.Ordinal));
    }

    /// <summary>Whether it is met, and why not, by the numbers alone.</summary>
    /// <param name="row">The metric that it is about; null when it was not measured.</param>
    public string Verdict(MetricRow? row)
    {
        if (row is null || !double.IsFinite(row.Model))
        {
            return "not measured";
        }

        var (worst, best) = LargerIsBetter ? (row.Low, row.High) : (row.High, row.Low);
        if (IsReachedBy(row.Model))
        {
            return worst is not { } least ? "yes" : IsReachedBy(least) ? "yes, the whole interval" : $"yes, but the interval goes to {Number(least)}";
        }

        var side = LargerIsBetter ? "below" : "above";
        return row.Ceiling is { } ceiling && !IsReachedBy(ceiling) ? $"no: the ceiling {Number(ceiling)} is {side}"
            : best is { } most && IsReachedBy(most) ? "no, but the interval holds it"
            : $"no: {Number(Math.Abs(Value - row.Model))} {side}";
    }

    private static string Number(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);
}

/// <summary>Time that a model takes to answer a question that it has not seen, asked alone and in the process.</summary>
/// <param name="Asked">Questions asked.</param>
/// <param name="MedianMs">Milliseconds that half of them took at most.</param>
/// <param name="P99Ms">Milliseconds that 99 of 100 took at most.</param>
public sealed record AnswerTimes(int Asked, double MedianMs, double P99Ms);

/// <summary>One metric of a model beside what it must beat and what is possible.</summary>
/// <param name="Name">Such as NDCG@10.</param>
/// <param name="Model">The model's value.</param>
/// <param name="Baseline">The baseline's value.</param>
/// <param name="BaselineName">What the baseline is, such as popularity.</param>
/// <param name="Ceiling">The value of the true probabilities, where a simulation knows them.</param>
/// <param name="Low">Lower end of the 95 % interval of the model's value; null where none can be told.</param>
/// <param name="High">Upper end.</param>
public sealed record MetricRow(string Name, double Model, double? Baseline, string BaselineName, double? Ceiling = null, double? Low = null, double? High = null);

/// <summary>Query to ML: the learned kind of each person; null where too little is known of her or no version serves. Answers one <see cref="LearnedCluster"/> or null a person.</summary>
/// <param name="UserIds">People.</param>
public sealed record FindClusters(IReadOnlyList<string> UserIds) : IQuery<IReadOnlyList<LearnedCluster?>>;

/// <summary>A learned kind of people, as it fits a person.</summary>
/// <param name="Number">Number of the kind in its version, the largest first.</param>
/// <param name="Name">What tells it from the others, in Spanish.</param>
/// <param name="Traits">The same in more words.</param>
/// <param name="Fit">How well it fits the person among all kinds, 0 to 1.</param>
/// <param name="Share">Share of the people learned from.</param>
/// <param name="ModelVersion">Version that found it.</param>
public sealed record LearnedCluster(int Number, string Name, IReadOnlyList<string> Traits, double Fit, double Share, int ModelVersion);

/// <summary>Query to ML: what to show somebody, best first, each with its reason. Answers <see cref="PersonalRecommendations"/>. Nothing is written down: whoever shows it says so.</summary>
/// <param name="PersonId">For whom.</param>
/// <param name="Limit">Items wanted.</param>
/// <param name="Kind">Kind of items.</param>
public sealed record GetRecommendations(string PersonId, int Limit = 10, string Kind = "vehicle") : IQuery<PersonalRecommendations>;

/// <summary>Answer to <see cref="GetRecommendations"/>.</summary>
/// <param name="Items">Items and why, in Spanish.</param>
/// <param name="ModelVersion">Version that answered; null for popularity.</param>
/// <param name="Source">model, previous or popularity.</param>
public sealed record PersonalRecommendations(IReadOnlyList<(string ItemId, string Reason)> Items, int? ModelVersion, string Source);

/// <summary>Query to ML: what a vehicle is worth, and why. Answers <see cref="PriceEstimate"/>, null when the vehicle or every price is unknown.</summary>
/// <param name="ItemId">The vehicle.</param>
public sealed record GetPriceEstimate(string ItemId) : IQuery<PriceEstimate?>;

/// <summary>Answer to <see cref="GetPriceEstimate"/>; money in dollars.</summary>
/// <param name="Usd">What it should ask.</param>
/// <param name="LowUsd">Lower end of the interval; null when only a median is known.</param>
/// <param name="HighUsd">Upper end of the interval.</param>
/// <param name="Verdict">How the stated price compares, in Spanish; null without a price or an interval.</param>
/// <param name="Market">Where the stated price stands among comparable vehicles, in Spanish; null with too few of them.</param>
/// <param name="Reasons">What raises or lowers the estimate, the weightiest first, in Spanish.</param>
/// <param name="ModelVersion">Version that answered; null for a median.</param>
public sealed record PriceEstimate(double Usd, double? LowUsd, double? HighUsd, string? Verdict, string? Market, IReadOnlyList<string> Reasons, int? ModelVersion);

/// <summary>
/// Query to the simulator: the true probability, known only for simulated people, that each person wants each item at a time.
/// </summary>
/// <param name="Pairs">Person and item.</param>
/// <param name="At">Time of the question (UTC).</param>
public sealed record GetTrueProbabilities(IReadOnlyList<(string PersonId, string ItemId)> Pairs, DateTimeOffset At) : IQuery<TrueProbabilities>;

/// <summary>Query to the simulator: the true probability, known only for simulated people, that a look at a vehicle ends in a contact with its seller. Answers <see cref="TrueProbabilities"/>.</summary>
/// <param name="Looks">Person, item and time (UTC) of each look.</param>
public sealed record GetTrueContactProbabilities(IReadOnlyList<(string PersonId, string ItemId, DateTimeOffset At)> Looks) : IQuery<TrueProbabilities>;

/// <summary>
/// Query to the simulator: the true probability, known only for simulated people, that a contact with a seller ends in a deal, given all that was settled before it, told or not:
/// the person's own deals, those of others about the item, the day on which the ad goes. Who comes later and is faster is not counted. Answers <see cref="TrueProbabilities"/>.
/// </summary>
/// <param name="Contacts">Person, item, way taken and time (UTC) of each contact.</param>
public sealed record GetTrueDealProbabilities(IReadOnlyList<(string PersonId, string ItemId, string Channel, DateTimeOffset At)> Contacts) : IQuery<TrueProbabilities>;

/// <summary>
/// Query to the simulator: the true probability, known only for simulated people, that somebody leaves no sign (a look, a search, a kept ad, a contact) for some days, for whoever knows how
/// often each of them comes and who has bought, but not when they stop. Answers <see cref="TrueProbabilities"/>.
/// </summary>
/// <param name="People">Person, the last sign before, and midnight (UTC) of the first day that is asked about.</param>
/// <param name="Days">How many days.</param>
public sealed record GetTrueAbsences(IReadOnlyList<(string PersonId, DateTimeOffset LastSign, DateTimeOffset At)> People, int Days) : IQuery<TrueProbabilities>;

/// <summary>Query to the simulator: the median days that made-up ads stay on offer, known only for those. Answers <see cref="TrueProbabilities"/> whose values are days.</summary>
/// <param name="ItemIds">Ads.</param>
public sealed record GetTrueDaysToSale(IReadOnlyList<string> ItemIds) : IQuery<TrueProbabilities>;

/// <summary>
/// Query to the simulator: the true probability, known only for made-up ads, that moderators find an ad to be a swindle: none for honest ones, and the share that they find for swindles. Answers
/// <see cref="TrueProbabilities"/>.
/// </summary>
/// <param name="ItemIds">Ads.</param>
public sealed record GetTrueSwindleProbabilities(IReadOnlyList<string> ItemIds) : IQuery<TrueProbabilities>;

/// <summary>Answer to <see cref="GetTrueProbabilities"/> and its like: one value a question, NaN where it is not known.</summary>
public sealed record TrueProbabilities(double[] Values);

/// <summary>Query to the simulator: what is true of simulated campaigns. Answers <see cref="TrueCampaigns"/>, empty for campaigns that it does not know.</summary>
/// <param name="CampaignIds">Campaigns.</param>
public sealed record GetTrueCampaigns(IReadOnlyCollection<string> CampaignIds) : IQuery<TrueCampaigns>;

/// <summary>Answer to <see cref="GetTrueCampaigns"/>.</summary>
/// <param name="Responses">The curve of each channel.</param>
/// <param name="Faults">What was broken and when.</param>
public sealed record TrueCampaigns(IReadOnlyList<TrueResponse> Responses, IReadOnlyList<CampaignFault> Faults);

/// <summary>A true curve of diminishing returns: Most / (1 + (HalfUsd / usd)^Shape) applications an hour at mean season.</summary>
public sealed record TrueResponse(string Channel, double Most, double HalfUsd, double Shape);

/// <summary>A time in which a campaign's channel was broken.</summary>
/// <param name="CampaignId">Campaign.</param>
/// <param name="Channel">Channel.</param>
/// <param name="Kind">What was broken.</param>
/// <param name="From">First hour (UTC).</param>
/// <param name="Until">End of the last hour (UTC).</param>
public sealed record CampaignFault(string CampaignId, string Channel, string Kind, DateTimeOffset From, DateTimeOffset Until);

/// <summary>Query to the simulator: what was to be expected of hours of campaigns. Answers <see cref="TrueCampaignHours"/>.</summary>
/// <param name="Hours">Campaign, channel, beginning of the hour (UTC) and dollars spent; what was planned where those are null.</param>
public sealed record GetTrueCampaignHours(IReadOnlyList<(string CampaignId, string Channel, DateTimeOffset Hour, double? Usd)> Hours) : IQuery<TrueCampaignHours>;

/// <summary>Answer to <see cref="GetTrueCampaignHours"/>: one value an hour, NaN where it is not known.</summary>
/// <param name="PlannedUsd">Dollars that were to be spent.</param>
/// <param name="Applications">Applications to be expected of the dollars asked about.</param>
public sealed record TrueCampaignHours(double[] PlannedUsd, double[] Applications);
