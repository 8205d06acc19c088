using OKLA.ML.Training;

namespace OKLA.ML.Models.Language;

/// <summary>How well the tone of things in reviews is told.</summary>
/// <param name="F1">Micro F1 of thing and tone together.</param>
/// <param name="FoundF1">The same without the tone.</param>
/// <param name="Tone">Share of the things found whose tone is right.</param>
/// <param name="MajorityTone">The same where all were praise, or all blame, whichever is more.</param>
/// <param name="MajorityF1">F1 where each thing that a review names is praised.</param>
/// <param name="MajorityWhole">Share of whole reviews right where all were one.</param>
internal sealed record AspectFigures(double F1, double FoundF1, double Tone, double MajorityTone, double MajorityF1, double MajorityWhole)
{
    /// <summary>Interval of <see cref="F1"/>, drawing reviews.</summary>
    public MetricRange? Range { get; private init; }

    /// <summary>Measures.</summary>
    /// <param name="reviews">Reviews.</param>
    public static AspectFigures Of(IReadOnlyList<WrittenReview> reviews)
    {
        var (right, found, said, truth, praised, matched) = (0, 0, 0, 0, 0, 0);
        var (rights, alls) = (new List<double>(), new List<double>());
        foreach (var review in reviews)
        {
            var told = AspectReader.Read(review.Text);
            said += told.Count;
            truth += review.Aspects.Count;
            var own = told.Count(one => review.Aspects.Contains((one.Aspect, one.IsPraise)));
            right += own;
            rights.Add(2 * own);
            alls.Add(told.Count + review.Aspects.Count);
            var both = review.Aspects.Where(one => told.Any(other => other.Aspect == one.Aspect)).ToArray();
            found += both.Length;
            matched += both.Length;
            praised += both.Count(one => one.IsPraise);
        }

        double Share(int part, int all) => all == 0 ? 0 : (double)part / all;
        var share = Share(reviews.Count(review => review.IsPraise), reviews.Count);
        return new AspectFigures(
            Share(2 * right, said + truth), Share(2 * found, said + truth), Share(right, matched), Math.Max(Share(praised, matched), 1 - Share(praised, matched)), Share(2 * praised, said + truth), Math.Max(share, 1 - share))
        {
            Range = HeldOutUnits.Rows(reviews.Count).Ratio(rights, alls),
        };
    }
}
