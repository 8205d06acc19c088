namespace OKLA.ML.Algorithms.Neural;

/// <summary>
/// A step of a network over mini-batches (rows × width, row-major; arrays may be longer than the batch). The arrays that <see cref="Forward"/> and
/// <see cref="Backward"/> answer belong to the layer until their next call, so a layer serves one thread at a time; <see cref="Share"/> makes another over
/// the same weights.
/// </summary>
internal abstract class Layer
{
    public abstract int Outputs { get; }

    public virtual IEnumerable<Parameter> Parameters => [];

    /// <summary>The outputs of <paramref name="rows"/> rows; what the gradient needs is remembered, the input by reference.</summary>
    public abstract float[] Forward(float[] input, int rows, bool training);

    /// <summary>
    /// Takes dLoss/dOutput of the last <see cref="Forward"/> (and may overwrite it), adds to the gradients of the weights and answers dLoss/dInput.
    /// </summary>
    public abstract float[] Backward(float[] gradient, int rows);

    /// <summary>The same weights with buffers of its own, for predicting.</summary>
    public abstract Layer Share();

    /// <summary>Makes <paramref name="buffer"/> long enough; old content may be lost.</summary>
    public static float[] Room(ref float[] buffer, int length)
    {
        if (buffer.Length < length) buffer = new float[length];
        return buffer;
    }
}

/// <summary>Layers one after the other.</summary>
internal sealed class Stack(int inputs, IReadOnlyList<Layer> layers) : Layer
{
    public override int Outputs => layers.Count > 0 ? layers[^1].Outputs : inputs;

    public override IEnumerable<Parameter> Parameters => layers.SelectMany(layer => layer.Parameters);

    /// <summary>Hidden layers as asked for: dense with its activation, then layer normalisation, then dropout.</summary>
    public static Stack Hidden(int inputs, IReadOnlyList<int> widths, Activation activation, bool normalize, float dropout, int seed, Random? random, int threads)
    {
        var layers = new List<Layer>();
        var width = inputs;
        for (var i = 0; i < widths.Count; i++)
        {
            layers.Add(new DenseLayer(width, widths[i], activation, random, threads));
            width = widths[i];
            if (normalize) layers.Add(new LayerNormLayer(width));
            if (dropout > 0) layers.Add(new DropoutLayer(width, dropout, seed, i));
        }
        return new Stack(inputs, layers);
    }

    public Stack Then(params ReadOnlySpan<Layer> more) => new(inputs, [.. layers, .. more]);

    public override float[] Forward(float[] input, int rows, bool training)
    {
        foreach (var layer in layers) input = layer.Forward(input, rows, training);
        return input;
    }

    public override float[] Backward(float[] gradient, int rows)
    {
        for (var i = layers.Count - 1; i >= 0; i--) gradient = layers[i].Backward(gradient, rows);
        return gradient;
    }

    public override Layer Share() => new Stack(inputs, [.. layers.Select(layer => layer.Share())]);
}
