// `estat requests …`: users' parts in campaigns.
namespace Estat.Cli.Requests;

/// <summary>The verbs below it.</summary>
internal static class RequestsVerb
{
    internal static Command Create() => new(
        "requests", "Finds and redrives requests of campaigns, erases a user from them, copies the database, makes its table")
    {
        RequestsSearch.Create(),
        RequestsSearch.Show(),
        RequestsRedrive.Create(),
        RequestsErase.Create(),
        RequestsBackup.Save(),
        RequestsBackup.Restore(),
        RequestsTable.Create(),
        RequestsTable.Restore(),
    };
}
