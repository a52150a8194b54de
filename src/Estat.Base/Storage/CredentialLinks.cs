// Which link of AWS' credential chain was taken, and what is wrong where none gives credentials.
using System.Text.RegularExpressions;
using Amazon.Runtime;
using Amazon.Runtime.Credentials;

namespace Estat.Base.Storage;

/// <summary>The chain is the SDK's. It loads STS and SSO by name: Estat.Base's project brings their packages, and no code names them.</summary>
internal static partial class CredentialLinks
{
    private const string NoneFound = "Failed to resolve AWS credentials";
    private const string None =
        "no AWS credentials were found. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give this machine a role";

    /// <summary>
    /// What requests to S3 will be signed with. May ask the machine's metadata service; STS and SSO are asked when a key is needed.
    /// </summary>
    internal static AWSCredentials Resolve(StorageOptions options) =>
        new DefaultAWSCredentialsIdentityResolver().ResolveIdentity(S3Clients.ConfigOf(options));

    /// <summary>The link in words, with the role where there is one.</summary>
    internal static string NameOf(AWSCredentials found) => found switch
    {
        EnvironmentVariablesAWSCredentials => "the environment (AWS_ACCESS_KEY_ID)",
        AssumeRoleWithWebIdentityCredentials web => $"a web identity token, by STS, for {web.RoleArn}",
        AssumeRoleAWSCredentials role => $"{ProfileInUse()}, by STS, for {role.RoleArn}",
        SSOAWSCredentials sso => $"{ProfileInUse()}, by IAM Identity Center, for role {sso.RoleName} of account {sso.AccountId}",
        ProcessAWSCredentials => $"{ProfileInUse()}, by its credential_process",
        GenericContainerCredentials => "the container's endpoint (ECS task role, EKS Pod Identity)",
        InstanceProfileAWSCredentials => "the role of this EC2 instance",
        _ => found.GetType().Name is "DefaultInstanceProfileAWSCredentials" ? "the role of this EC2 instance" : ProfileInUse(),
    };

    /// <summary>What to say of an error that came from the chain; null for any other.</summary>
    internal static string? Explain(Exception error)
    {
        for (Exception? at = error; at is not null; at = at.InnerException)
        {
            string message = at.Message.ReplaceLineEndings(" ").TrimEnd('.');
            if (message.StartsWith(NoneFound, StringComparison.Ordinal))
            {
                return OfChain(at.Message);
            }

            if (message.Contains("AWSSDK.Extensions.CrtIntegration", StringComparison.Ordinal))
            {
                return "it asks for signature version 4a (multi-region access points), which Estat does not support. "
                    + "Name a bucket, or an access point of one region";
            }

            if (message.StartsWith("Error calling AssumeRole", StringComparison.Ordinal))
            {
                return $"no credentials: STS gives none ({Innermost(at)}). Check the role, its trust policy and the network to STS: {message}";
            }

            if (message.StartsWith("A token could not be loaded", StringComparison.Ordinal))
            {
                return $"no credentials: the web identity token cannot be read ({Innermost(at)}). "
                    + "Check AWS_WEB_IDENTITY_TOKEN_FILE and that the pod's service account is annotated";
            }

            if (message.StartsWith("Unable to find the \"", StringComparison.Ordinal))
            {
                return $"no credentials: {message}. Check AWS_PROFILE, and ~/.aws/credentials and ~/.aws/config of this user";
            }

            if (message.StartsWith("Unable to retrieve credentials", StringComparison.Ordinal))
            {
                return $"no credentials: the container's or the instance's endpoint gives none ({Innermost(at)}). "
                    + "Check the task's or pod's role, and AWS_CONTAINER_CREDENTIALS_FULL_URI";
            }
        }

        return null;
    }

    // The SDK lists what each link has to say, over many lines. What a link that nobody set up says is no news.
    private static string OfChain(string message)
    {
        string[] faults = [.. EachFault().Matches(message).Select(match => match.Groups[1].Value.Trim().TrimEnd('.')).Where(IsNews)];
        return faults.Length == 0 ? None : $"no credentials: {string.Join("; ", faults.Select(InWords).Distinct())}";
    }

    private static bool IsNews(string fault) =>
        !fault.StartsWith("The environment variables AWS_ACCESS_KEY_ID", StringComparison.Ordinal)
        && !fault.StartsWith("The webIdentityTokenFile must be an absolute path", StringComparison.Ordinal)
        && !fault.StartsWith("Unable to find the \"default\" profile", StringComparison.Ordinal)
        && !fault.StartsWith("Failed to connect to EC2 instance metadata", StringComparison.Ordinal);

    private static string InWords(string fault) =>
        fault.Contains("AWSSDK.Signin", StringComparison.Ordinal)
            ? $"{ProfileInUse()} logs in by aws login (login_session), which Estat does not support. "
                + "Use IAM Identity Center (aws sso login), a role or keys"
        : fault.Contains("is an SSO profile", StringComparison.Ordinal)
            ? $"{ProfileInUse()} has no session of IAM Identity Center. Run aws sso login --profile NAME as this user"
        : fault;

    private static string ProfileInUse() => $"the profile {Environment.GetEnvironmentVariable("AWS_PROFILE") ?? "default"}";

    /// <summary>What the service or the network said. The SDK's innermost exception of an answer says only that there was one.</summary>
    internal static string Innermost(Exception error)
    {
        Exception told = error;
        for (Exception? at = error; at is not null; at = at.InnerException)
        {
            told = told is AmazonServiceException && at is not AmazonServiceException ? told : at;
        }

        return told.Message.ReplaceLineEndings(" ").TrimEnd('.');
    }

    [GeneratedRegex(@"Exception \d+ of \d+: (.*?)(?=\s*Exception \d+ of \d+: |\s*$)", RegexOptions.Singleline)]
    private static partial Regex EachFault();
}
