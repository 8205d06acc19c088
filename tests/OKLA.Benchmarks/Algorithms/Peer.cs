using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;

namespace OKLA.Benchmarks.Algorithms;

/// <summary>scikit-learn and XGBoost in a process of their own that waits for its turn; see <c>peer.py</c>.</summary>
internal sealed class Peer : IDisposable
{
    private const string Python = "/usr/bin/python3";
    private readonly Process process;
    private readonly string folder;

    private Peer(Process process, string folder, string version) => (this.process, this.folder, Version) = (process, folder, version);

    /// <summary>XGBoost's version.</summary>
    public string Version { get; }

    /// <summary>Null where there is no Python with both of them.</summary>
    public static Peer? Start(int threads)
    {
        if (!File.Exists(Python)) return null;
        var folder = Directory.CreateTempSubdirectory("okla-peer-").FullName;
        var script = Path.Combine(folder, "peer.py");
        using (var source = Assembly.GetExecutingAssembly().GetManifestResourceStream("peer.py")!)
        using (var file = File.Create(script))
        {
            source.CopyTo(file);
        }

        var start = new ProcessStartInfo(Python, [script, threads.ToString(CultureInfo.InvariantCulture)]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        var process = Process.Start(start)!;
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        if (process.StandardOutput.ReadLine() is { } ready && ready.StartsWith("ready ", StringComparison.Ordinal)) return new Peer(process, folder, ready[6..]);
        process.WaitForExit();
        process.Dispose();
        Directory.Delete(folder, recursive: true);
        return null;
    }

    public void Load(string name, float[] rows, int columns, float[] targets, bool classes)
    {
        string x = Path.Combine(folder, name + ".x"), y = Path.Combine(folder, name + ".y");
        File.WriteAllBytes(x, MemoryMarshal.AsBytes(rows.AsSpan()));
        File.WriteAllBytes(y, MemoryMarshal.AsBytes(targets.AsSpan()));
        Ask("load", name, x, y, columns, classes ? 2 : 0);
    }

    public void LoadTexts(IReadOnlyList<string> texts, IReadOnlyList<string> labels)
    {
        string x = Path.Combine(folder, "texts.json"), y = Path.Combine(folder, "labels.json");
        File.WriteAllText(x, System.Text.Json.JsonSerializer.Serialize(texts));
        File.WriteAllText(y, System.Text.Json.JsonSerializer.Serialize(labels));
        Ask("text", x, y);
    }

    public Seconds Train(string name, int trees, int depth, int threads) => Seconds.Parse(Ask("train", name, trees, depth, threads));

    /// <summary>The time, and R² or AUC on the rows themselves.</summary>
    public (Seconds Time, double Score) Predict(string name, int threads)
    {
        var time = Seconds.Parse(Ask("predict", name, threads));
        return (time, double.Parse(Answer(), CultureInfo.InvariantCulture));
    }

    public Seconds TrainTexts() => Seconds.Parse(Ask("bytext"));

    public void Dispose()
    {
        process.StandardInput.Close();
        process.WaitForExit();
        process.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private string Ask(params object[] words)
    {
        process.StandardInput.WriteLine(string.Join('\t', words.Select(word => Convert.ToString(word, CultureInfo.InvariantCulture))));
        process.StandardInput.Flush();
        return Answer();
    }

    private string Answer() => process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("The peer ended.");
}
