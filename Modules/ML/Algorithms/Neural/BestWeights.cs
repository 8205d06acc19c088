namespace OKLA.ML.Algorithms.Neural;

/// <summary>Early stopping (Prechelt 1998): keeps the weights of the best pass and says when enough passes went by without a better one.</summary>
internal sealed class BestWeights(IReadOnlyList<Parameter> parameters, int patience)
{
    private float[][]? _kept;
    private double _best = double.PositiveInfinity;
    private int _waited;

    /// <summary>The pass with the lowest loss, 0 before the first.</summary>
    public int BestPass { get; private set; }

    /// <summary>Takes note of a pass; true when training should end. Patience is 1 or more.</summary>
    public bool Observe(int pass, double loss)
    {
        if (loss < _best)
        {
            (_best, BestPass, _waited) = (loss, pass, 0);
            _kept ??= [.. parameters.Select(p => new float[p.Values.Length])];
            for (var i = 0; i < _kept.Length; i++) parameters[i].Values.CopyTo(_kept[i], 0);
            return false;
        }
        return ++_waited >= patience;
    }

    /// <summary>Puts the best pass's weights back.</summary>
    public void Restore()
    {
        for (var i = 0; i < _kept?.Length; i++) _kept[i].CopyTo(parameters[i].Values, 0);
    }
}
