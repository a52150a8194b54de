global using System.Threading.Channels;
global using Microsoft.Extensions.Logging;
