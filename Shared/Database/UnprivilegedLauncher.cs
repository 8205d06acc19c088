using System.Diagnostics;

namespace OKLA.Shared.Database;

/// <summary>
/// PostgreSQL refuses to run as root. In containers the host often is root, so the server is started as <c>nobody</c> through <c>setpriv</c>.
/// Where <c>nobody</c> cannot reach the folders (a clone below /root), the server keeps one capability: passing closed parent folders.
/// </summary>
internal static class UnprivilegedLauncher
{
    private static readonly string[] AsNobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

    /// <summary>The command prefix that runs a program as an unprivileged user able to enter <paramref name="cluster"/>; empty when the host is not root.</summary>
    public static string[] For(string cluster, string program)
    {
        if (OperatingSystem.IsWindows() || !Environment.IsPrivilegedProcess)
        {
            return [];
        }

        HandOver(cluster, AsNobody);
        string[][] ways =
        [
            AsNobody,
            [.. AsNobody, "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search", "--securebits=+no_setuid_fixup"],
            [.. AsNobody, "--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--securebits=+no_setuid_fixup"],
        ];
        return ways.FirstOrDefault(way => Run([.. way, "/bin/sh", "-c", "cd \"$0\" && test -x \"$1\"", cluster, program]))
            ?? throw new DatabaseUnavailableException(
                $"PostgreSQL cannot run as root and user nobody cannot enter {cluster}: run as another user, choose a --data folder outside closed folders, or install util-linux (setpriv).");
    }

    /// <summary>Gives a folder and its content to the unprivileged user; nothing to do when the host is not root.</summary>
    public static void HandOver(string folder, string[] launcher)
    {
        if (launcher.Length > 0 && !Run(["chown", "-R", "65534:65534", folder]))
        {
            throw new DatabaseUnavailableException($"{folder} could not be given to user nobody.");
        }
    }

    private static bool Run(string[] command)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardError = true, RedirectStandardOutput = true, WorkingDirectory = "/" });
            process?.WaitForExit();
            return process is { ExitCode: 0 };
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
