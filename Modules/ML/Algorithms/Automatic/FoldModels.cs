using OKLA.ML.Algorithms.Explanation;
using OKLA.ML.Algorithms.Linear;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Automatic;

/// <summary>One answer for every row: the training median, or the classes' shares.</summary>
internal sealed class ConstantModel(float[] answer) : IFoldModel
{
    public const byte Kind = 1;

    public static ConstantModel Learn(float[] y, AutomaticOptions options)
    {
        if (options.IsRegression) return new ConstantModel([(float)WeightedQuantile.Of((float[])y.Clone(), null, 0.5)]);
        var shares = new float[options.Classes];
        foreach (var c in y) shares[(int)c] += 1f / y.Length;
        return new ConstantModel(options.Outputs == 1 ? [shares[1]] : shares);
    }

    public float[] Predict(Dataset x, int threads)
    {
        var answers = new float[x.RowCount * answer.Length];
        for (var r = 0; r < x.RowCount; r++) answer.CopyTo(answers, r * answer.Length);
        return answers;
    }

    public Func<Dataset, FoldParts> Explainer(Dataset background) =>
        x => new FoldParts(answer[0], [.. Enumerable.Repeat((double)answer[0], x.RowCount)], new double[x.RowCount * x.ColumnCount]);

    public void Write(BinaryWriter writer)
    {
        writer.Write(Kind);
        writer.WriteArray(answer);
    }

    public static ConstantModel ReadBody(BinaryReader reader) => new(reader.ReadSingles());
}

/// <summary>Boosted trees.</summary>
internal sealed class BoostedModel(GradientBoostingModel model) : IFoldModel
{
    public const byte Kind = 2;

    public float[] Predict(Dataset x, int threads) => model.Predict(x, threads);

    public Func<Dataset, FoldParts> Explainer(Dataset background)
    {
        var shap = new TreeShap(model);
        return x => AutomaticExplainer.Linked(
            shap.BaseValues[0], model.PredictMargins(x, 1), shap.Explain(x, 1), model.Objective == BoostingObjective.BinaryLogistic ? AutomaticExplainer.Sigmoid : static score => score);
    }

    public void Write(BinaryWriter writer)
    {
        writer.Write(Kind);
        Nested.Write(writer, model.Save);
    }

    public static BoostedModel ReadBody(BinaryReader reader) => new(Nested.Read(reader, GradientBoostingModel.Load));
}

/// <summary>A forest.</summary>
internal sealed class ForestModel(RandomForestModel model) : IFoldModel
{
    public const byte Kind = 3;

    public float[] Predict(Dataset x, int threads)
    {
        var answers = model.Predict(x, threads);
        return model.Classes == 2 ? FoldModels.OfClassOne(answers) : answers;
    }

    public Func<Dataset, FoldParts> Explainer(Dataset background)
    {
        var shap = new TreeShap(model);
        var (outputs, last) = (shap.BaseValues.Count, shap.BaseValues.Count - 1);
        return x =>
        {
            var all = shap.Explain(x, 1);
            var parts = new double[x.RowCount * x.ColumnCount];
            for (var r = 0; r < x.RowCount; r++) all.AsSpan((r * outputs + last) * x.ColumnCount, x.ColumnCount).CopyTo(parts.AsSpan(r * x.ColumnCount));
            return new FoldParts(shap.BaseValues[last], Array.ConvertAll(Predict(x, 1), v => (double)v), parts);
        };
    }

    public void Write(BinaryWriter writer)
    {
        writer.Write(Kind);
        Nested.Write(writer, model.Save);
    }

    public static ForestModel ReadBody(BinaryReader reader) => new(Nested.Read(reader, RandomForestModel.Load));
}

/// <summary>Ridge regression, whose answers stay within what training saw: a line has no business far outside it.</summary>
internal sealed class RidgeModel(LinearView view, LinearRegressionModel model, float least, float most) : IFoldModel
{
    public const byte Kind = 4;

    public float[] Predict(Dataset x, int threads) => Array.ConvertAll(model.Predict(view.Transform(x)), v => Math.Clamp((float)v, least, most));

    public Func<Dataset, FoldParts> Explainer(Dataset background)
    {
        var shap = new LinearShap(model, view.Transform(background));
        return x => AutomaticExplainer.Linked(shap.BaseValue, model.Predict(view.Transform(x)), view.Gather(x, shap.Explain(view.Transform(x))), v => Math.Clamp(v, least, most));
    }

    public void Write(BinaryWriter writer)
    {
        writer.Write(Kind);
        view.Write(writer);
        Nested.Write(writer, model.Save);
        writer.Write(least);
        writer.Write(most);
    }

    public static RidgeModel ReadBody(BinaryReader reader) => new(LinearView.Read(reader), Nested.Read(reader, LinearRegressionModel.Load), reader.ReadSingle(), reader.ReadSingle());
}

/// <summary>Logistic or softmax regression.</summary>
internal sealed class LogisticModel(LinearView view, LinearClassifierModel model, int classes) : IFoldModel
{
    public const byte Kind = 5;

    public float[] Predict(Dataset x, int threads)
    {
        var answers = Array.ConvertAll(model.Probabilities(view.Transform(x)), v => (float)v);
        if (classes == 2) return FoldModels.OfClassOne(answers);
        if (model.Classes == classes) return answers;
        // The fold had no row of the last classes.
        var all = new float[x.RowCount * classes];
        for (var r = 0; r < x.RowCount; r++) answers.AsSpan(r * model.Classes, model.Classes).CopyTo(all.AsSpan(r * classes));
        return all;
    }

    public Func<Dataset, FoldParts> Explainer(Dataset background)
    {
        var shap = new LinearShap(model, view.Transform(background));
        return x =>
        {
            var parts = shap.Explain(view.Transform(x));
            var columns = parts.Length / Math.Max(1, x.RowCount);
            double[] scores = [.. Enumerable.Range(0, x.RowCount).Select(r => shap.BaseValue + parts.AsSpan(r * columns, columns).ToArray().Sum())];
            return AutomaticExplainer.Linked(shap.BaseValue, scores, view.Gather(x, parts), AutomaticExplainer.Sigmoid);
        };
    }

    public void Write(BinaryWriter writer)
    {
        writer.Write(Kind);
        view.Write(writer);
        Nested.Write(writer, model.Save);
        writer.Write(classes);
    }

    public static LogisticModel ReadBody(BinaryReader reader) => new(LinearView.Read(reader), Nested.Read(reader, LinearClassifierModel.Load), reader.ReadInt32());
}

/// <summary>What the models of a fold have in common.</summary>
internal static class FoldModels
{
    public static IFoldModel Read(BinaryReader reader)
    {
        var kind = reader.ReadByte();
        return kind switch
        {
            ConstantModel.Kind => ConstantModel.ReadBody(reader),
            BoostedModel.Kind => BoostedModel.ReadBody(reader),
            ForestModel.Kind => ForestModel.ReadBody(reader),
            RidgeModel.Kind => RidgeModel.ReadBody(reader),
            LogisticModel.Kind => LogisticModel.ReadBody(reader),
            _ => throw new InvalidDataException($"Unknown kind of model {kind}."),
        };
    }

    public static float[] OfClassOne(float[] both)
    {
        var one = new float[both.Length / 2];
        for (var i = 0; i < one.Length; i++) one[i] = both[2 * i + 1];
        return one;
    }
}
