using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace OKLA.ML.Algorithms.Trees;

/// <summary>The best split of a node found so far.</summary>
internal struct Split
{
    public double Gain;
    public int Feature;
    public byte Bin;
    public bool MissingLeft;
    public bool Categorical;

    /// <summary>Packed sum of the rows that go left.</summary>
    public long Left;

    /// <summary>Bins that go left; filled for categories only.</summary>
    public CategorySet Set;

    public readonly bool GoesLeft(int bin) => Categorical ? Set.Contains(bin) : bin == 0 ? MissingLeft : bin <= Bin;
}

/// <summary>256 bits, one a bin.</summary>
[InlineArray(Tree.SetWords)]
internal struct CategorySet
{
    private ulong _word;

    public readonly bool Contains(int bin) => (this[bin >> 6] >> (bin & 63) & 1) != 0;

    public void Add(int bin) => this[bin >> 6] |= 1UL << (bin & 63);
}

/// <summary>A node as the split search sees it.</summary>
/// <param name="Histogram">Packed sums by bin.</param>
/// <param name="Total">Packed sum of all its rows.</param>
/// <param name="Rows">Its number of rows.</param>
/// <param name="Low">Least answer that monotone constraints above it leave.</param>
/// <param name="High">Largest answer that they leave.</param>
internal readonly record struct SplitNode(long[] Histogram, long Total, int Rows, double Low, double High);

/// <summary>
/// Finds the split with the largest gain T(G_L)²/(H_L+λ) + T(G_R)²/(H_R+λ) − T(G)²/(H+λ), T the soft threshold by α
/// (Chen &amp; Guestrin 2016, equation 7, without its factor ½); categories are ordered by G/(H + smoothing), where Fisher (1958) shows
/// that the best two-way grouping is a prefix.
/// </summary>
internal sealed class SplitFinder(BinnedDataset data, int[] offsets, GrowthOptions options, GradientPacking packing)
{
    private readonly int[] _order = new int[256];
    private readonly double[] _keys = new double[256];

    public Split Best(in SplitNode node, ReadOnlySpan<int> features, RandomSource random)
    {
        var best = new Split { Feature = -1, Gain = options.MinSplitGain };
        var search = new Search(this, node, options.Lambda);
        if (search.TotalHessian == 0) return best;
        foreach (var feature in features)
        {
            var bins = data.Features[feature];
            var histogram = node.Histogram.AsSpan(offsets[feature], bins.Count);
            if (bins.IsCategorical) Categories(node, feature, histogram, ref best);
            else Numbers(search, feature, histogram, ref random, ref best);
        }
        return best;
    }

    /// <summary>The answer −T(G)/(H+λ) within the node's limits.</summary>
    public double Output(double gradient, double hessian, double low, double high) =>
        Math.Clamp(-Threshold(gradient) / Math.Max(hessian + options.Lambda, 1e-12), low, high);

    private double Threshold(double gradient) =>
        options.Alpha == 0 ? gradient : Math.Sign(gradient) * Math.Max(0, Math.Abs(gradient) - options.Alpha);

    private readonly ref struct Search
    {
        private readonly SplitFinder _finder;
        private readonly double _unitG, _unitH, _lambda, _parent;
        private readonly long _total;
        private readonly uint _least;
        private readonly double _low, _high;

        public Search(SplitFinder finder, in SplitNode node, double lambda)
        {
            _finder = finder;
            _unitG = finder.PackingUnitG;
            _unitH = finder.PackingUnitH;
            _lambda = lambda;
            _total = node.Total;
            _low = node.Low;
            _high = node.High;
            TotalHessian = GradientPacking.Hessian(node.Total);
            var rowsPerUnit = node.Rows / (double)Math.Max(1, TotalHessian);
            var least = Math.Max(finder.MinHessian / _unitH, (finder.MinRows - 0.5) / rowsPerUnit);
            _least = (uint)Math.Min(uint.MaxValue, Math.Max(1, Math.Ceiling(least)));
            _parent = 0;
            _parent = finder.Constrained && (_low > double.NegativeInfinity || _high < double.PositiveInfinity)
                ? ClippedScore(node.Total, out _)
                : Score(node.Total);
        }

        public uint TotalHessian { get; }

        public long Total => _total;

        /// <summary>The first cut with the largest gain above <paramref name="above"/>, or -1; <paramref name="left"/> holds a multiple of 8 sums, to each of which <paramref name="offset"/> is added.</summary>
        public int BestCut(ReadOnlySpan<long> left, long offset, double above)
        {
            Vector512<double> unitG = Vector512.Create(_unitG), unitH = Vector512.Create(_unitH), lambda = Vector512.Create(_lambda);
            Vector512<double> bestScore = Vector512.Create(above + _parent), bestCut = Vector512.Create(-1.0);
            var cut = Vector512.Create(0.0, 1, 2, 3, 4, 5, 6, 7);
            Vector512<long> total = Vector512.Create(_total), least = Vector512.Create((long)_least), low = Vector512.Create(0xFFFFFFFFL), add = Vector512.Create(offset);
            for (var i = 0; i < left.Length; i += 8)
            {
                var l = Vector512.Create(left[i..]) + add;
                var r = total - l;
                Vector512<long> hl = l & low, hr = r & low;
                var gl = Vector512.ConvertToDouble(l >> 32) * unitG;
                var gr = Vector512.ConvertToDouble(r >> 32) * unitG;
                var dl = Vector512.ConvertToDouble(hl) * unitH + lambda;
                var dr = Vector512.ConvertToDouble(hr) * unitH + lambda;
                // g²/a + h²/b = (g²b + h²a)/(ab): one division instead of two.
                var score = (gl * gl * dr + gr * gr * dl) / (dl * dr);
                var allowed = (Vector512.GreaterThanOrEqual(hl, least) & Vector512.GreaterThanOrEqual(hr, least)).AsDouble();
                var better = Vector512.GreaterThan(score, bestScore) & allowed;
                bestScore = Vector512.ConditionalSelect(better, score, bestScore);
                bestCut = Vector512.ConditionalSelect(better, cut, bestCut);
                cut += Vector512.Create(8.0);
            }
            var best = -1;
            for (var lane = 0; lane < 8; lane++)
            {
                var at = (int)bestCut[lane];
                if (at < 0) continue;
                if (best < 0 || bestScore[lane] > bestScore[best & 7] || (bestScore[lane] == bestScore[best & 7] && at < best)) best = at;
            }
            return best;
        }

        public double Gain(long left, int direction)
        {
            var right = _total - left;
            if (GradientPacking.Hessian(left) < _least || GradientPacking.Hessian(right) < _least) return double.NegativeInfinity;
            if (!_finder.Constrained) return Score(left) + Score(right) - _parent;
            var gain = ClippedScore(left, out var leftOutput) + ClippedScore(right, out var rightOutput) - _parent;
            return direction * (rightOutput - leftOutput) < 0 ? double.NegativeInfinity : gain;
        }

        private double Score(long packed)
        {
            var gradient = _finder.Threshold(GradientPacking.Gradient(packed) * _unitG);
            return gradient * gradient / Math.Max(GradientPacking.Hessian(packed) * _unitH + _lambda, 1e-12);
        }

        // The drop of the penalised loss, −(2Gw + (H+λ)w² + 2α|w|), at an answer w held within limits.
        private double ClippedScore(long packed, out double output)
        {
            double gradient = GradientPacking.Gradient(packed) * _unitG, hessian = GradientPacking.Hessian(packed) * _unitH + _lambda;
            output = Math.Clamp(-_finder.Threshold(gradient) / Math.Max(hessian, 1e-12), _low, _high);
            return -(2 * gradient * output + hessian * output * output + 2 * _finder.Alpha * Math.Abs(output));
        }
    }

    private double PackingUnitG => packing.GradientUnit;

    private double PackingUnitH => packing.HessianUnit;

    private double MinHessian => options.MinHessianPerLeaf;

    private int MinRows => options.MinRowsPerLeaf;

    private double Alpha => options.Alpha;

    private bool Constrained => options.Monotone is not null;

    private void Numbers(Search search, int feature, ReadOnlySpan<long> histogram, ref RandomSource random, ref Split best)
    {
        var direction = options.Monotone?[feature] ?? 0;
        var missing = histogram[0];
        if (options.RandomThresholds)
        {
            RandomThreshold(search, feature, histogram, direction, ref random, ref best);
            return;
        }
        if (Vector512.IsHardwareAccelerated && !Constrained && options.Alpha == 0)
        {
            NumbersEightAtOnce(search, feature, histogram, ref best);
            return;
        }
        // Missing rows go right; after the last bin this parts the known from the missing.
        var last = missing == 0 ? histogram.Length - 1 : histogram.Length;
        long left = 0;
        for (var bin = 1; bin < last; bin++)
        {
            left += histogram[bin];
            Consider(search, feature, bin, left, missing == 0 ? null : false, direction, ref best);
        }
        if (missing == 0) return;
        left = missing;
        for (var bin = 1; bin < histogram.Length - 1; bin++)
        {
            left += histogram[bin];
            Consider(search, feature, bin, left, true, direction, ref best);
        }
    }

    [SkipLocalsInit]
    private void NumbersEightAtOnce(Search search, int feature, ReadOnlySpan<long> histogram, ref Split best)
    {
        // Only bins that hold rows make different cuts; a small node has few of them.
        Span<long> left = stackalloc long[256 + 8];
        Span<byte> bins = stackalloc byte[256];
        var missing = histogram[0];
        long sum = 0;
        var used = 0;
        for (var bin = 1; bin < histogram.Length; bin++)
        {
            sum += histogram[bin];
            left[used] = sum;
            bins[used] = (byte)bin;
            used += Unsafe.BitCast<bool, byte>(histogram[bin] != 0);
        }
        // A column's best cut must not depend on the columns before it, or threads would change ties: hence the least gain, not the best so far.
        // After the last used bin no known row is right. What pads to a multiple of 8 leaves nothing right, which no least hessian allows.
        var cuts = missing == 0 ? used - 1 : used;
        if (cuts <= 0) return;
        left.Slice(cuts, 8).Fill(search.Total);
        var cut = search.BestCut(left[..((cuts + 7) & ~7)], 0, options.MinSplitGain);
        if (cut >= 0) Consider(search, feature, bins[cut], left[cut], missing == 0 ? null : false, 0, ref best);
        if (missing == 0) return;
        left.Slice(cuts, 8).Fill(search.Total - missing);
        cut = search.BestCut(left[..((cuts + 7) & ~7)], missing, options.MinSplitGain);
        if (cut >= 0) Consider(search, feature, bins[cut], left[cut] + missing, true, 0, ref best);
    }

    // Extremely randomised trees (Geurts et al. 2006): one cut, uniform over the range that the node's rows span.
    private static void RandomThreshold(
        Search search, int feature, ReadOnlySpan<long> histogram, int direction, ref RandomSource random, ref Split best)
    {
        int first = 1, last = histogram.Length - 1;
        while (first < last && histogram[first] == 0) first++;
        while (last > first && histogram[last] == 0) last--;
        if (first == last) return;
        var cut = first + random.NextInt(last - first);
        long left = 0;
        for (var bin = first; bin <= cut; bin++) left += histogram[bin];
        var missing = histogram[0];
        Consider(search, feature, cut, left, missing == 0 ? null : false, direction, ref best);
        if (missing != 0) Consider(search, feature, cut, left + missing, true, direction, ref best);
    }

    // Where no row of the node is missing, later missing ones follow the heavier side.
    private static void Consider(Search search, int feature, int bin, long left, bool? missingLeft, int direction, ref Split best)
    {
        var gain = search.Gain(left, direction);
        if (gain <= best.Gain) return;
        best = new Split
        {
            Gain = gain, Feature = feature, Bin = (byte)bin, Left = left,
            MissingLeft = missingLeft ?? GradientPacking.Hessian(left) * 2.0 >= search.TotalHessian,
        };
    }

    private void Categories(in SplitNode node, int feature, ReadOnlySpan<long> histogram, ref Split best)
    {
        var used = 0;
        for (var bin = 0; bin < histogram.Length; bin++)
        {
            if (GradientPacking.Hessian(histogram[bin]) != 0) _order[used++] = bin;
        }
        if (used < 2) return;
        if (used <= options.OneHotCategories)
        {
            var alone = new Search(this, node, options.Lambda);
            for (var i = 0; i < used; i++) Consider(alone, feature, histogram, i, i + 1, histogram[_order[i]], ref best);
            return;
        }
        for (var i = 0; i < used; i++)
        {
            var packed = histogram[_order[i]];
            _keys[i] = GradientPacking.Gradient(packed) * packing.GradientUnit
                / (GradientPacking.Hessian(packed) * packing.HessianUnit + options.CategorySmoothing);
        }
        Array.Sort(_keys, _order, 0, used);
        var search = new Search(this, node, options.Lambda + options.CategoryLambda);
        var most = Math.Min(options.MaxCategoriesPerSplit, (used + 1) / 2);
        long left = 0;
        for (var i = 0; i < most; i++)
        {
            left += histogram[_order[i]];
            Consider(search, feature, histogram, 0, i + 1, left, ref best);
        }
        left = 0;
        for (var i = used - 1; i >= used - most && i > 0; i--)
        {
            left += histogram[_order[i]];
            Consider(search, feature, histogram, i, used, left, ref best);
        }
    }

    private void Consider(Search search, int feature, ReadOnlySpan<long> histogram, int from, int to, long left, ref Split best)
    {
        var gain = search.Gain(left, 0);
        if (gain <= best.Gain) return;
        best = new Split { Gain = gain, Feature = feature, Left = left, Categorical = true };
        for (var i = from; i < to; i++) best.Set.Add(_order[i]);
        if (GradientPacking.Hessian(left) * 2.0 <= search.TotalHessian) return;
        for (var bin = 0; bin < histogram.Length; bin++)
        {
            if (GradientPacking.Hessian(histogram[bin]) == 0) best.Set.Add(bin);
        }
    }
}
